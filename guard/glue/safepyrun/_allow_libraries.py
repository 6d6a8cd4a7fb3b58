"""allow() for libraries that many people want: their functions that write or read, each with its check."""

from safepyrun._allow import allow
from safepyrun._policies import PosAllowPolicy

# Which argument says where a method writes.
_FRAME_WRITERS = {
    "path_or_buf": ("to_csv", "to_json", "to_hdf"),
    "buf": ("to_string", "to_html", "to_latex", "to_markdown"),
    "path": ("to_pickle", "to_parquet", "to_feather", "to_orc", "to_stata"),
    "path_or_buffer": ("to_xml",),
    "excel_writer": ("to_excel",),
}


def allow_pandas():
    """The methods with which DataFrame and Series are written, into write roots only."""
    import pandas
    for cls in (pandas.DataFrame, pandas.Series):
        for argument, names in _FRAME_WRITERS.items():
            there = [name for name in names if hasattr(cls, name)]
            allow({cls: there}, allow_policy=PosAllowPolicy(0, argument))


def allow_matplotlib():
    """savefig(), into write roots only."""
    import matplotlib.pyplot
    from matplotlib.figure import Figure
    policy = PosAllowPolicy(0, "fname")
    allow({Figure: [("savefig", policy)], matplotlib.pyplot: [("savefig", policy)]})


class _Urls:
    """The URL, or where it begins, is one of those that set_data(ok_urls=…) or the runner names."""

    #: the others lead elsewhere (proxy) or read files (cert, verify)
    _ARGUMENTS = ("url", "params", "headers", "cookies", "timeout")

    def __call__(self, obj, args, kwargs, data):
        url = args[0] if args else kwargs.get("url", "")
        if not isinstance(url, str) or not any(_is_below(url, ok) for ok in data.get("ok_urls", ())):
            raise PermissionError(f"{url!r} is not below any of ok_urls")
        if kwargs.get("follow_redirects"):
            raise PermissionError("with ok_urls it follows no redirects: they lead where the server says")
        for name, value in kwargs.items():      # the defaults, too
            if name not in self._ARGUMENTS and not (value is None or isinstance(value, bool) or _is_password(name, value)):
                raise PermissionError(f"with ok_urls it has no argument {name}")


def _is_password(name, value):
    """And not a function, which can make another request of the one that was checked."""
    return name == "auth" and isinstance(value, (tuple, list)) and all(isinstance(part, (str, bytes)) for part in value)


def _is_below(url, ok):
    """https://a/b lies below https://a, https://ab does not, nor does https://a/b/../c below https://a/b."""
    path = url.partition("?")[0].partition("#")[0].lower().replace("%2e", ".")
    return url == ok or (url.startswith(ok if ok.endswith("/") else ok + "/")
                         and not any(part in (".", "..") for part in path.replace("\\", "/").replace("%2f", "/").split("/")))


def allow_httpx(only_ok_urls=False):
    """httpx.get(), head() and options(), so that cells may read from the network."""
    import httpcore  # noqa: F401  httpx does it in the first request, but what is imported then has no rights
    import httpx
    allow({httpx: ["get", "head", "options"]}, allow_policy=_Urls() if only_ok_urls else None)
