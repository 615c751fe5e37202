# What `cmake --install` puts where, the package that find_package(pushforward) finds, and the Debian package.
#
# Plugins lie in lib/pushforward/plugins, which the program and libpushforward_run look for beside themselves: an
# installation can be moved as a whole.
set(CMAKE_INSTALL_LIBDIR lib CACHE PATH "Libraries, seen from the prefix")
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(PUSHFORWARD_SHARE ${CMAKE_INSTALL_DATADIR}/pushforward)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/pushforward)

install(TARGETS pushforward_core pushforward_run pushforward_conformance pushforward_testing EXPORT pushforwardTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS pushforward RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ${PUSHFORWARD_PLUGINS} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/pushforward/plugins)
install(DIRECTORY core/include/ runtime/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY configs DESTINATION ${PUSHFORWARD_SHARE})
install(DIRECTORY examples DESTINATION ${PUSHFORWARD_SHARE})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${CMAKE_BINARY_DIR}/completions/pushforward
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)

set_target_properties(pushforward_core PROPERTIES EXPORT_NAME core)
set_target_properties(pushforward_run PROPERTIES EXPORT_NAME run INSTALL_RPATH "$ORIGIN")
set_target_properties(pushforward_conformance PROPERTIES EXPORT_NAME conformance INSTALL_RPATH "$ORIGIN")
set_target_properties(pushforward_testing PROPERTIES EXPORT_NAME testing)
set_target_properties(pushforward PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
set_target_properties(${PUSHFORWARD_PLUGINS} PROPERTIES INSTALL_RPATH "$ORIGIN/../..")

install(EXPORT pushforwardTargets NAMESPACE pushforward:: DESTINATION ${package_folder})
configure_package_config_file(cmake/pushforwardConfig.cmake.in ${CMAKE_BINARY_DIR}/pushforwardConfig.cmake
  INSTALL_DESTINATION ${package_folder} PATH_VARS CMAKE_INSTALL_BINDIR PUSHFORWARD_SHARE)
# A plugin is refused by another minor version, so another minor version is not found either.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/pushforwardConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/pushforwardConfig.cmake ${CMAKE_BINARY_DIR}/pushforwardConfigVersion.cmake
  cmake/PushforwardPlugin.cmake cmake/plugin_exports.map DESTINATION ${package_folder})

# `cpack` in the build folder. A package for others: configure with -DPUSHFORWARD_ARCH=x86-64-v3.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pushforward)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The Pushforward maintainers")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libstdc++6 (>= 12), libopenblas0, libyaml-cpp0.7, libfmt9, libboost-program-options1.74.0")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "gnuplot-nox")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "g++, cmake, libeigen3-dev, libxsimd-dev")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "normalizing flows from specs, as a program and as libraries")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Fits densities to data, samples from them and scores with them. Bijectors, base
distributions, datasets and optimizers are plugins.
.
With g++, CMake, Eigen and xsimd installed, plugins can be built against this
package: find_package(pushforward).")
include(CPack)
