#include "pushforward/nearest.h"

#include <catch2/catch.hpp>

using pushforward::nearest;

TEST_CASE("nearest finds a name with a few edits, and none when it is far") {
  const std::vector<std::string> names = {"network", "mask", "transformer", "maps"};
  CHECK(nearest("netwrok", names) == "network");  // swapped: one edit
  CHECK(nearest("transfomer", names) == "transformer");
  CHECK(nearest("mapss", names) == "maps");
  CHECK(nearest("network", names) == "network");
  CHECK(nearest("xyz", names).empty());
  CHECK(nearest("", names).empty());
  CHECK(nearest("network", {}).empty());
}

TEST_CASE("nearest allows a third of the word and prefers the first of equally near names") {
  CHECK(nearest("abcdef", {"abcdxy"}) == "abcdxy");
  CHECK(nearest("abcdef", {"abcxyz"}).empty());
  CHECK(nearest("abc", {"abx", "aby"}) == "abx");
  CHECK(nearest("abc", {"abx", "abc"}) == "abc");
}

TEST_CASE("nearest takes no time for what nobody typed") {
  const std::string hundred(100, 'a'), many(1 << 20, 'a');
  CHECK(nearest(hundred, {many, hundred + "b"}) == hundred + "b");
  CHECK(nearest(hundred + "b", {hundred}).empty());
  CHECK(nearest(many, {many}).empty());
}
