"""What Python would have done with PYTHONPATH and `site` by itself, and folders where nothing is found before the guard is closed.

Which folders those are is decided in guard/start_path.c.
"""

import os
import sys

# _library remembers what sys.path is by now: the standard library alone
from safepyrun import _guard, _library  # noqa: F401

_STANDARD = tuple(sys.meta_path)  # before any of `site`
_is_closed = None
_cache_folder = None


class _Closed:
    """In place of the finder of a folder that cells may write to."""

    def __init__(self, entry):
        self._entry = entry
        self._finders = None

    def _all_finders(self):
        if self._finders is None:
            self._finders = list(_finders_of(self._entry))
        return self._finders

    def find_spec(self, name, target=None):
        for finder in self._all_finders():
            found = finder.find_spec(name)
            if found is not None and found.loader is not None:
                _tell(name, self._entry)
        return None

    def give_way(self):
        """To what Python would have found there by itself."""
        finders = self._finders or [None]
        if finders[0] is not None:
            sys.path_importer_cache[self._entry] = finders[0]
        else:
            del sys.path_importer_cache[self._entry]

    def invalidate_caches(self):
        pass


class _Unlinked(_Closed):
    """In place of the finder of any other folder: a link in it may lead to where cells write."""

    def find_spec(self, name, target=None):
        for finder in self._all_finders():
            found = finder.find_spec(name)
            if found is None:
                continue
            closed = [folder for folder in _folders_behind_links(found) if _is_closed(folder)]
            if not closed:
                return found
            _tell(name, closed[0])
        return None

    def invalidate_caches(self):
        for finder in self._finders or ():
            if hasattr(finder, "invalidate_caches"):
                finder.invalidate_caches()


class _Sifted:
    """In place of a finder that looks at no path: those of editable installations know a folder for each name."""

    def __init__(self, finder):
        self._finder = finder

    def __getattr__(self, name):
        return getattr(self._finder, name)

    def find_spec(self, name, path=None, target=None):
        found = self._finder.find_spec(name, path, target)
        if found is None or not found.has_location or not _is_closed(os.path.dirname(found.origin)):
            return found
        _tell(name, os.path.dirname(found.origin))
        return None


def _tell(name, folder):
    _guard.log("warning", f"the module {name} in {folder} is not imported before the guard is closed: cells may write there")


def _finders_of(entry):
    for hook in sys.path_hooks:
        if hook is not _hook:
            try:
                yield hook(entry)
            except ImportError:
                pass


def _folders_behind_links(found):
    """Where the files of a module lie that do not lie where they seem to: its own, the compiled one, the folder of a package."""
    if not found.has_location:
        return [os.path.realpath(place) for place in found.submodule_search_locations or () if os.path.islink(place)]
    folder, cached = os.path.dirname(found.origin), found.cached
    files = []
    if os.path.islink(found.origin) or found.submodule_search_locations and os.path.islink(folder):
        files.append(found.origin)
    if cached is not None and (os.path.islink(cached) or os.path.islink(os.path.dirname(cached))):
        files.append(cached)
    return [os.path.dirname(os.path.realpath(file)) for file in files]


def _is_standard(entry):
    library = os.path.dirname(os.__file__)
    return entry == library or entry.startswith(library + "/") and "-packages" not in entry[len(library):]


def _hook(entry):
    if _is_closed(entry):
        return _Closed(entry)
    if _is_standard(entry) or not os.path.isdir(entry):
        raise ImportError("whose links are those of who has installed Python, or an archive, which has none")
    return _Unlinked(entry)


def begin(is_closed):
    global _is_closed, _cache_folder
    _is_closed = is_closed
    _cache_folder = _take_back("PYTHONPYCACHEPREFIX")
    if _cache_folder is not None and not is_closed(os.path.abspath(_cache_folder)):
        sys.pycache_prefix = _cache_folder
    sys.path_hooks.insert(0, _hook)
    sys.path_importer_cache.clear()
    _add_pythonpath()
    if sys.flags.no_site:
        import site
        site.main()
    sys.meta_path[:] = [finder if finder in _STANDARD else _Sifted(finder) for finder in sys.meta_path]


def settle():
    """In a template, when all is imported: what each of its guards would have to write to. Folders inside of packages are
    looked at anew by whoever imports something from one."""
    for entry in sys.path_importer_cache.keys() - set(sys.path):
        del sys.path_importer_cache[entry]


def look_again():
    """Another policy counts: some folders are open now. What the others know stays, in a template it is shared memory."""
    for entry, finder in list(sys.path_importer_cache.items()):
        if type(finder) is _Closed:
            del sys.path_importer_cache[entry]


def end():
    if _cache_folder is not None:
        sys.pycache_prefix = _cache_folder
    sys.meta_path[:] = [finder._finder if type(finder) is _Sifted else finder for finder in sys.meta_path]
    sys.path_hooks.remove(_hook)
    for entry, finder in list(sys.path_importer_cache.items()):
        if isinstance(finder, _Closed):
            finder.give_way()


def _take_back(name):
    """The kernel process has put it aside: Python's own start would have looked there for its first modules."""
    text = os.environ.pop(f"SAFEPYRUN_{name}", None)
    if text is not None:
        os.environ[name] = text
    return text


def _add_pythonpath():
    text = _take_back("PYTHONPATH")
    if text is not None:
        sys.path[:0] = [os.path.abspath(entry) for entry in text.split(os.pathsep)]
