// AtomicFile: a file is there whole or not at all, and nothing else is left behind.
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "io/atomic_file.h"
#include "io/file_error.h"
#include "pushforward/error.h"
#include "support/temporary_folder.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;

TEST_CASE("A committed file holds what was written, and the temporary is gone") {
  const TemporaryFolder folder;
  AtomicFile file(folder / "a.txt");
  file.write("one ");
  file.write("two");
  CHECK_FALSE(std::filesystem::exists(folder / "a.txt"));
  file.commit();
  CHECK(read_text(folder / "a.txt") == "one two");
  CHECK(folder.names() == std::vector<std::string>{"a.txt"});
}

TEST_CASE("Without commit the old content stays and nothing is left") {
  const TemporaryFolder folder;
  folder.write("a.txt", "old");
  {
    AtomicFile file(folder / "a.txt");
    file.write("half of the new");
    CHECK(folder.names().size() == 2);
  }
  CHECK(read_text(folder / "a.txt") == "old");
  CHECK(folder.names() == std::vector<std::string>{"a.txt"});
}

TEST_CASE("An exception between write and commit removes the temporary") {
  const TemporaryFolder folder;
  const auto interrupted = [&] {
    AtomicFile file(folder / "a.txt");
    file.write("half");
    throw std::runtime_error("the caller failed");
  };
  CHECK_THROWS_AS(interrupted(), std::runtime_error);
  CHECK(folder.names().empty());
}

TEST_CASE("A reader meets the old content or the new one, never a mixture") {
  const TemporaryFolder folder;
  const std::string old(100'000, 'a'), fresh(200'000, 'b');
  write_file(folder / "a.txt", old);
  AtomicFile file(folder / "a.txt");
  for (std::size_t i = 0; i < fresh.size(); i += 50'000) {
    file.write(std::string_view(fresh).substr(i, 50'000));
    CHECK(read_text(folder / "a.txt") == old);
  }
  file.commit();
  CHECK(read_text(folder / "a.txt") == fresh);
}

TEST_CASE("Two writers of one file do not meet in one temporary") {
  const TemporaryFolder folder;
  AtomicFile first(folder / "a.txt"), second(folder / "a.txt");
  first.write("first");
  second.write("second");
  second.commit();
  CHECK(read_text(folder / "a.txt") == "second");
  first.commit();
  CHECK(read_text(folder / "a.txt") == "first");
}

TEST_CASE("A symbolic link stays one, and what it points to is replaced") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "deep");
  folder.write("deep/real.txt", "old");
  std::filesystem::create_symlink("deep/real.txt", folder / "link.txt");
  write_file(folder / "link.txt", "new");
  CHECK(std::filesystem::is_symlink(folder / "link.txt"));
  CHECK(read_text(folder / "deep/real.txt") == "new");
}

TEST_CASE("A new file has the permissions that the user's mask leaves") {
  const TemporaryFolder folder;
  const mode_t mask = umask(027);
  write_file(folder / "a.txt", "x");
  umask(mask);
  struct stat status;
  REQUIRE(stat((folder / "a.txt").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
}

TEST_CASE("What cannot be written is refused with its name and the reason") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(write_file(folder / "none/a.txt", "x"),
                    Contains("none/a.txt") && Contains("there is no folder") && Contains("make it first"));
  CHECK_THROWS_WITH(write_file(folder.path(), "x"), Contains("a folder has that name"));
  CHECK_THROWS_WITH(write_file("/dev/null", "x"), Contains("/dev/null") && Contains("not a regular file"));
  CHECK_THROWS_AS(write_file(folder / "none/a.txt", "x"), FileError);
  CHECK(folder.names().empty());
}

TEST_CASE("Reading names the file and the reason") {
  const TemporaryFolder folder;
  CHECK(read_file(folder.write("a.txt", std::string("a\0b", 3))) == std::string("a\0b", 3));
  CHECK(read_file(folder.write("empty", "")).empty());
  CHECK_THROWS_WITH(read_file(folder / "none"), Contains("none") && Contains("No such file or directory"));
  CHECK_THROWS_WITH(read_file(folder.path()), Contains("it is a folder"));
  CHECK_THROWS_AS(read_file(folder / "none"), DataError);
}

}  // namespace
