# Files with messages for the C library, which believes them: where a text begins, and which arguments a format has. By a folder that
# a cell can write, at once or after chdir(), above or through a link; by a domain or a language that is a path.
# says: set an environment variable
import locale, os, pathlib
from locale import LC_MESSAGES, bindtextdomain, dcgettext, dgettext, textdomain
os.makedirs("below", exist_ok=True)
os.symlink("/usr/share", "link")
attempts = [lambda: bindtextdomain("libc", os.getcwd()), lambda: bindtextdomain("libc", os.getcwd().encode()), lambda: bindtextdomain("x", "."), lambda: bindtextdomain("x", ""),
            lambda: bindtextdomain("x", os.path.dirname(os.getcwd())), lambda: bindtextdomain("x", "/"), lambda: bindtextdomain("x", "/usr/../"),
            lambda: bindtextdomain("x", os.path.abspath("link/locale")), lambda: bindtextdomain("x", os.path.abspath("missing")),
            lambda: bindtextdomain("x", pathlib.Path.cwd()), lambda: bindtextdomain("x", "/proc/self/cwd"), lambda: bindtextdomain("../x", None),
            lambda: bindtextdomain("../x", "/usr/share/locale"), lambda: textdomain("../../x"), lambda: dgettext("../../x", "y"),
            lambda: dcgettext("/x", "y", LC_MESSAGES), lambda: os.putenv("LANGUAGE", "de:../../x"), lambda: os.putenv(b"LANGUAGE", b"../x")]
start = os.getcwd()
for folder in (".", "below"):
    os.chdir(folder)
    assert refused(attempts) == len(attempts), folder
assert refused([lambda: bindtextdomain("x", start)]) == 1
assert bindtextdomain("x", "/usr/share/locale") == bindtextdomain("x", None) == "/usr/share/locale"
assert dgettext("x", "a text") == dcgettext(None, "a text", LC_MESSAGES) == "a text" and textdomain(None) == textdomain("messages")
os.environ["LANGUAGE"] = "de:en_GB.UTF-8@euro"
os.environ["LANGUAGE"] = "de:../../x"
