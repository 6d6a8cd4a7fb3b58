# Unpacking: members with .. and absolute names, links that lead out (CVE-2007-4559).
import io, tarfile
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w") as tar:
    link = tarfile.TarInfo("way"); link.type = tarfile.SYMTYPE; link.linkname = outside
    tar.addfile(link)
    for name in ("../outside/evil", outside + "/evil", "way/evil"):
        tar.addfile(tarfile.TarInfo(name))
    tar.addfile(tarfile.TarInfo("plain"))
refused = 0
for number in range(1, 4):
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as tar:
        members = tar.getmembers()
        try:
            tar.extractall(members=[members[0], members[number]])
            print("ESCAPED")
        except PermissionError:
            refused += 1
        except Exception as error:      # Python's own filter, where it is the default
            refused += "Outside" in type(error).__name__ or "Absolute" in type(error).__name__
assert refused == 3, refused
buffer.seek(0)
with tarfile.open(fileobj=buffer) as tar:
    tar.extractall(outside, members=tar.getmembers()[-1:])
