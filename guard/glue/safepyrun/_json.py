"""JSON for the link: CPython's own C encoder and scanner, without the package `json`.

Importing `json` brings `re` and costs 11 ms, as much as the interpreter itself; the C half alone is
already linked in. What JSON or UTF-8 cannot carry is replaced (NaN by null, lone surrogates by
U+FFFD), and only then is the slow path taken.
"""

import _json

from safepyrun import _guard


class _ScannerOptions:
    strict = False
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}.__getitem__
    memo: dict = {}


_scan = _json.make_scanner(_ScannerOptions)
_SPACE = " \t\n\r"


def decode(text):
    text = text.strip(_SPACE)
    try:
        value, end = _scan(text, 0)
    except StopIteration as stop:
        raise ValueError(f"not JSON at character {stop.value}") from None
    except (ValueError, SystemError):  # 3.11 words its errors with json.decoder, which is not loaded
        raise ValueError("not JSON: the text ends too early or is malformed") from None
    if end != len(text):
        raise ValueError(f"not JSON: more text after character {end}")
    return value


def _encode_other(value):
    """What the C encoder does not know; called for one value at a time."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        import binascii
        return binascii.b2a_base64(value, newline=False).decode()
    if hasattr(value, "isoformat") and type(value).__module__ == "datetime":
        return _iso(value)
    for name in ("item", "tolist"):  # numpy's scalars and arrays
        if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, name):
            try:
                return getattr(value, name)()
            except ValueError:  # item() of an array with more than one element
                continue
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _iso(value):
    """Jupyter's dates carry their zone; a naive one is local time."""
    if hasattr(value, "utcoffset") and hasattr(value, "astimezone") and value.utcoffset() is None:
        value = value.astimezone()
    return value.isoformat().replace("+00:00", "Z")



def _encoder():
    # markers, default, encoder, indent, key separator, item separator, sort_keys, skipkeys, allow_nan
    return _json.make_encoder({}, _encode_other, _guard.json_string, None, ":", ",", False, False, False)


def _clean(value):
    """The same value without floats and integers that JSON has no text for."""
    if isinstance(value, float):
        return float(value) if value - value == 0 else None
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        try:
            int.__repr__(value)
        except ValueError:  # more digits than sys.set_int_max_str_digits() permits
            return hex(value)
        return value
    if isinstance(value, dict):
        return {_clean_key(key): _clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(item) for item in value]
    return value


def _clean_key(key):
    return float.__repr__(key) if isinstance(key, float) else key


def encode(value):
    try:
        text = "".join(_encoder()(value, 0))
    except ValueError as error:
        if "ircular" in str(error):
            raise
        text = "".join(_encoder()(_clean(value), 0))
    try:
        return text.encode()
    except UnicodeEncodeError:  # pairs become one character, what is alone U+FFFD
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
