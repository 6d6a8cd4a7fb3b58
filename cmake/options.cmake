# How every target of the project is compiled.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

option(SAFEPYRUN_WERROR "Treat warnings as errors" OFF)
option(SAFEPYRUN_SANITIZE "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(SAFEPYRUN_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(SAFEPYRUN_ANALYZE "Compile with GCC's -fanalyzer" OFF)

include(CheckPIESupported)
check_pie_supported()

add_library(project_options INTERFACE)
target_include_directories(project_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(project_options INTERFACE
  _GNU_SOURCE SAFEPYRUN_VERSION="${PROJECT_VERSION}")
target_compile_options(project_options INTERFACE
  -Wall -Wextra -Wshadow -Wundef -Wvla -Wpointer-arith -Wwrite-strings -Wformat=2
  -Wstrict-prototypes -Wmissing-prototypes -Wimplicit-fallthrough -fvisibility=hidden
  $<$<C_COMPILER_ID:GNU>:-Wjump-misses-init>)
if(SAFEPYRUN_WERROR)
  target_compile_options(project_options INTERFACE -Werror)
endif()
if(SAFEPYRUN_ANALYZE)
  set(CMAKE_C_COMPILER_LAUNCHER ${PROJECT_SOURCE_DIR}/cmake/with_analyzer)
endif()
if(SAFEPYRUN_SANITIZE)
  target_compile_options(project_options INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer)
  target_link_options(project_options INTERFACE -fsanitize=address,undefined)
else()
  target_compile_options(project_options INTERFACE -fstack-protector-strong
    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  target_link_options(project_options INTERFACE -Wl,-z,relro -Wl,-z,now)
endif()
if(SAFEPYRUN_FUZZ)
  target_compile_options(project_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
