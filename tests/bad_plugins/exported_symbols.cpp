#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

std::string output_of(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe);
  std::string text;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;) text.append(buffer, n);
  REQUIRE(::pclose(pipe) == 0);
  return text;
}

}  // namespace

TEST_CASE("every plugin shows exactly one symbol") {
  std::size_t plugins = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(PUSHFORWARD_PLUGINS)) {
    if (entry.path().extension() != ".so") continue;
    ++plugins;
    INFO(entry.path());
    CHECK(output_of(std::string(PUSHFORWARD_NM) + " -D --defined-only --format=just-symbols '" + entry.path().string() +
                    "'") == "pushforward_plugin\n");
  }
  CHECK(plugins > 0);
}
