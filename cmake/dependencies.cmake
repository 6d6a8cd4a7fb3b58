# The libraries outside of the project. `kernel/` alone links ZeroMQ, OpenSSL, jansson and SQLite;
# `guard/` alone links libpython (ARCHITECTURE.md, "Two processes").

find_package(PkgConfig REQUIRED)
pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libzmq>=4.3)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.11)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(Threads REQUIRED)

# SHA-256 alone (kernel/crypto/sha256.h); where OpenSSL comes without its archive the whole library is linked for it.
find_library(crypto_archive NAMES libcrypto.a)
add_library(sha256_code INTERFACE)
if(crypto_archive)
  target_link_libraries(sha256_code INTERFACE ${crypto_archive})
  target_link_options(sha256_code INTERFACE LINKER:--exclude-libs,libcrypto.a)
else()
  target_link_libraries(sha256_code INTERFACE OpenSSL::Crypto)
endif()

# The system's Python unless the caller names another one: a shim on PATH is not what we embed.
if(NOT Python3_EXECUTABLE AND EXISTS /usr/bin/python3)
  set(Python3_EXECUTABLE /usr/bin/python3)
endif()
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter Development.Module OPTIONAL_COMPONENTS Development.Embed)

# guard_python: the Python that safepyrun-guard embeds, by its own place and not by that of a virtual environment
# that happens to be active. guard_libpython: the shared library that has to be there when it runs. Without one
# (many Pythons have none) there is no safepyrun-guard, and every Python is served by the module.
set(guard_python ${Python3_EXECUTABLE})
execute_process(COMMAND ${Python3_EXECUTABLE} -c [[
import os, sys, sysconfig
print(os.path.realpath(sys._base_executable))
name, folder = sysconfig.get_config_var("INSTSONAME"), sysconfig.get_config_var("LIBDIR")
print(os.path.join(folder, name) if name and ".so" in name else "")
]] OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "^([^\n]*)\n?(.*)$" answer "${answer}")
if(DEFINED SKBUILD)
  set(guard_python ${CMAKE_MATCH_1})
endif()
set(guard_libpython "${CMAKE_MATCH_2}")
if(NOT EXISTS "${guard_libpython}")
  set(Python3_Development.Embed_FOUND FALSE)
endif()
