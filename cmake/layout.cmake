# Build tree and installed tree have the same shape, so that the kernel runs from both:
#   lib/safepyrun/safepyrun-guard  …/safepyrun-keeper  …/safepyrun-openssl.so  …/main.py  …/safepyrun/…
# In a wheel all of it lies in the package, where `import safepyrun` finds it.
set(library_dir ${PROJECT_BINARY_DIR}/lib/safepyrun)
if(DEFINED SKBUILD)
  set(library_install_dir safepyrun)
  set(package_install_dir safepyrun)
else()
  set(library_install_dir lib/safepyrun)
  set(package_install_dir lib/safepyrun/safepyrun)
endif()
