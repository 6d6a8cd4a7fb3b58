# `cpack -G DEB` in a release build: the Debian package. What it depends on is read from the libraries that the
# programs are linked with. Wheels are pyproject.toml's matter.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME safepyrun-kernel)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "safepyrun-kernel <safepyrun-kernel@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)           # kernel.json names the final place, not the one where the package is made
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION python)
set(CPACK_DEBIAN_PACKAGE_DEPENDS python3)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "jupyter-client, python3-ipython")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Our own module is opened by the guard, never linked with.
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS OFF)
include(CPack)
