# The classes behind open(), from _io, _pyio, codecs, tempfile, pathlib.
import io, _io, _pyio, codecs, tempfile, pathlib, gzip, bz2, lzma, zipfile, tarfile, logging, logging.handlers, fileinput, shelve, dbm.dumb, mailbox
victim, evil = outside + "/victim", outside + "/evil"
attempts = [lambda: io.FileIO(evil, "w"), lambda: _io.FileIO(victim, "r+"), lambda: _pyio.open(evil, "w"),
            lambda: _pyio.FileIO(evil, "w"), lambda: codecs.open(evil, "w"), lambda: pathlib.Path(evil).write_text("x"),
            lambda: pathlib.Path(evil).touch(), lambda: pathlib.Path(victim).unlink(), lambda: pathlib.Path(evil).mkdir(),
            lambda: pathlib.Path(evil).symlink_to("/"), lambda: pathlib.Path(victim).chmod(0o777),
            lambda: pathlib.Path(evil).hardlink_to(victim), lambda: pathlib.Path(victim).rename("x"),
            lambda: tempfile.mkstemp(dir=outside), lambda: tempfile.mkdtemp(dir=outside),
            lambda: tempfile.NamedTemporaryFile(dir=outside), lambda: tempfile.TemporaryFile(dir=outside),
            lambda: gzip.open(evil, "wb"), lambda: bz2.open(evil, "wb"), lambda: lzma.open(evil, "wb"),
            lambda: zipfile.ZipFile(evil, "w"), lambda: tarfile.open(evil, "w:gz"), lambda: logging.FileHandler(evil),
            lambda: logging.handlers.RotatingFileHandler(evil), lambda: logging.basicConfig(filename=evil, force=True),
            lambda: next(fileinput.input(victim, inplace=True)), lambda: shelve.open(evil), lambda: dbm.dumb.open(evil, "n"),
            lambda: mailbox.Maildir(evil)]
assert refused(attempts) == len(attempts)
io.FileIO(evil, "w")
