"""In, Out and %history of this session.

The kernel process keeps the history of all sessions on disk, out of the cells' reach; what IPython
has here is only what ran since the guard started, in memory.
"""

from fnmatch import fnmatch

from IPython.core.history import HistoryManager


def _put(entries, line_num, text):
    """In[line_num], also after cells that were not stored, and beside the later one of a subshell."""
    entries.extend([""] * (line_num + 1 - len(entries)))
    entries[line_num] = text


class SessionHistory(HistoryManager):
    """A history without a database: lists that are indexed by execution count."""

    def store_inputs(self, line_num, source, source_raw=None):
        raw = (source if source_raw is None else source_raw).rstrip("\n")
        _put(self.input_hist_parsed, line_num, source.rstrip("\n"))
        _put(self.input_hist_raw, line_num, raw)
        self._i00, self._i, self._ii, self._iii = raw, self._i00, self._i, self._ii
        self.shell.push({"_i": self._i, "_ii": self._ii, "_iii": self._iii, f"_i{line_num}": raw},
                        interactive=False)

    def set_parsed(self, source, line_num):
        """Replace an entry by what the transformers made of it."""
        _put(self.input_hist_parsed, line_num, source.rstrip("\n"))

    def _entries(self, raw, output):
        entries = self.get_range(0, 1, None, raw=raw, output=output)
        return [entry for entry in entries if entry[2]]

    def get_tail(self, n=10, raw=True, output=False, include_latest=False):
        entries = self._entries(raw, output)
        if not include_latest:
            entries = entries[:-1]
        return entries[-(n or 10):]

    def search(self, pattern="*", raw=True, search_raw=True, output=False, n=None, unique=False):
        searched = self.input_hist_raw if search_raw else self.input_hist_parsed
        found = [entry for entry in self._entries(raw, output)
                 if fnmatch(searched[entry[1]], pattern)]
        if unique:
            found = list({entry[2]: entry for entry in found}.values())
        return found if n is None else found[-n:]

    def get_session_info(self, session=0):
        return None

    def writeout_cache(self, conn=None):
        pass

    def end_session(self):
        pass

    def close(self):
        pass
