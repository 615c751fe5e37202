#include "pushforward/registry/spec_tree.h"

#include <catch2/catch.hpp>

#include "support/temporary_folder.h"

using namespace pushforward;

namespace {

SpecNode parse(const std::string& text) { return parse_spec_text(text, "spec.yaml"); }

std::string error_of(const std::string& text) {
  try {
    parse(text);
  } catch (const SpecError& e) {
    return e.what();
  }
  return "no error";
}

/// Kind, text, quotes and keys: what a tree means, without positions.
std::string meaning(const SpecNode& node) {
  std::string text;
  switch (node.kind) {
    case SpecNode::Kind::null:
      return "null";
    case SpecNode::Kind::scalar:
      return (node.quoted ? "q(" : "(") + node.text + ")";
    case SpecNode::Kind::list:
      for (const SpecNode& item : node.items) text += meaning(item) + ",";
      return "[" + text + "]";
    case SpecNode::Kind::map:
      for (const SpecNode::Entry& entry : node.entries) text += entry.key + ":" + meaning(entry.value) + ",";
      return "{" + text + "}";
  }
  return text;
}

}  // namespace

TEST_CASE("keys and values know where they stand") {
  const SpecNode root = parse("a: 1\nb:\n  - x\n  - {c: [2, 3]}\n");
  REQUIRE(root.is_map());
  CHECK(root.position.to_string() == "spec.yaml:1:1");
  CHECK(root.entries[1].key == "b");
  CHECK(root.entries[1].position.to_string() == "spec.yaml:2:1");
  const SpecNode& list = root.entries[1].value;
  REQUIRE(list.items.size() == 2);
  CHECK(list.items[0].position.to_string() == "spec.yaml:3:5");
  const SpecNode::Entry& c = list.items[1].entries.at(0);
  CHECK(c.position.to_string() == "spec.yaml:4:6");
  CHECK(c.value.position.to_string() == "spec.yaml:4:9");
  CHECK(c.value.items[1].position.to_string() == "spec.yaml:4:13");
}

TEST_CASE("scalars keep their text and say whether they were quoted") {
  const SpecNode root = parse("a: 010\nb: \"12\"\nc: ~\nd:\ne: |\n  two\n  lines\nf: 'it''s'\ng: null\n");
  CHECK(meaning(root) == "{a:(010),b:q(12),c:null,d:null,e:q(two\nlines\n),f:q(it's),g:null,}");
}

TEST_CASE("anchors, aliases and merge keys") {
  const SpecNode root =
      parse("one: &one {a: 1, b: 2}\ntwo: *one\nthree: {<<: *one, b: 3}\nfour: {<<: [{a: 5}, *one], c: 6}\n");
  CHECK(meaning(*root.find("two")) == "{a:(1),b:(2),}");
  CHECK(meaning(*root.find("three")) == "{b:(3),a:(1),}");
  CHECK(meaning(*root.find("four")) == "{c:(6),a:(5),b:(2),}");
  // What an alias stands for is reported where it was written; the alias itself where it is used.
  CHECK(root.find("two")->position.to_string() == "spec.yaml:2:6");
  CHECK(root.find("two")->entries[0].position.to_string() == "spec.yaml:1:12");
}

TEST_CASE("what YAML allows and a spec does not is refused with its position") {
  CHECK(error_of("a: 1\nb: 2\na: 3\n") == "spec.yaml:3:1: error: the key 'a' was already given in line 1");
  CHECK(error_of("x: {a: 1, a: 2}\n") == "spec.yaml:1:11: error: the key 'a' was already given in line 1");
  CHECK(error_of("a: 1\n---\nb: 2\n") ==
        "spec.yaml:2:1: error: a spec is one YAML document, but a second one starts here; remove the '---' before it");
  CHECK(
      error_of("a: !!str 12\n") ==
      "spec.yaml:1:4: error: specs have no tags, but 'tag:yaml.org,2002:str' is one; quote a value that must be text");
  CHECK(error_of("a: !list [1]\n") ==
        "spec.yaml:1:4: error: specs have no tags, but '!list' is one; quote a value that must be text");
  CHECK(error_of("[1, 2]: 3\n") == "spec.yaml:1:1: error: a key must be a word, but this one is a list or a mapping");
  CHECK(error_of("~: 3\n") == "spec.yaml:1:1: error: a key must be a word, but this one is empty, a list or a mapping");
  CHECK(error_of("a: &x [1, *x]\n") == "spec.yaml:1:11: error: this alias stands inside of the value that it names");
  CHECK(error_of("a: {<<: 3}\n") ==
        "spec.yaml:1:5: error: '<<' merges mappings, but its value is not one or a list of them");
}

TEST_CASE("syntax errors have a position") {
  CHECK(error_of("a: b: c\n").starts_with("spec.yaml:1:5: error: not valid YAML: "));
  CHECK(error_of("a: [1]]\n") ==
        "spec.yaml:1:7: error: not valid YAML: this closing bracket does not belong to the last one that was opened");
  CHECK(error_of("a: *missing\n").find("spec.yaml:1:") == 0);
}

TEST_CASE("what is not closed is reported where it begins") {
  const std::string list = ": error: the list that begins here is not closed; it needs a ']' behind its last element";
  CHECK(error_of("a: [1, 2\nb: 3\n") == "spec.yaml:1:4" + list);
  CHECK(error_of("[1") == "spec.yaml:1:1" + list);
  CHECK(error_of("a: [[[[\n") == "spec.yaml:1:7" + list);
  CHECK(error_of("a: {b: [1], c: 2\n") ==
        "spec.yaml:1:4: error: the mapping that begins here is not closed; it needs a '}' behind its last field");
  CHECK(error_of("a: 'x'\nb: \"it's\\\"\n") ==
        "spec.yaml:2:4: error: this quote is not closed; it needs a \" behind its text");
  CHECK(error_of("a: 'x") ==
        "spec.yaml:1:6: error: not valid YAML: a quote is still open where the text ends; close it");
  CHECK(error_of("a: 'it''s'\nb: \"\\\"\"\n") == "no error");
}

TEST_CASE("what is no text, or nested without end, is refused in words of its own") {
  CHECK(error_of(std::string("a: 1\nb: \0\n", 10)) ==
        "spec.yaml:2:4: error: there is a NUL byte here, so this is not text in UTF-8; remove it, or save the file as "
        "UTF-8");
  std::string blocks;
  for (std::size_t i = 0; i < 3000; ++i) blocks += std::string(i, ' ') + "a:\n";
  CHECK(error_of(blocks) ==
        "spec.yaml:201:201: error: lists and mappings stand more than 200 deep in each other here; no spec is so deep");
}

TEST_CASE("a short text cannot stand for an enormous tree") {
  std::string text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 8; ++k) text += (k ? ", " : "") + last;
    text += "]\n";
  }
  CHECK(error_of(text).find("with its aliases written out, this spec has more than 200000 values") !=
        std::string::npos);
}

TEST_CASE("a short text cannot stand for enormous copies of what its anchors name") {
  std::string text = "a: ";
  for (int i = 0; i < 100; ++i) text += "&a" + std::to_string(i) + " [";
  for (int i = 0; i < 5000; ++i) text += "1, ";
  text += std::string(100, ']');
  CHECK(error_of(text).find("the anchors of this spec name more than 200000 values") != std::string::npos);
}

TEST_CASE("what a message repeats of a spec stays on its line, escaped and short") {
  CHECK(error_of("a: 1\n\"b\\n\\tc\\e\": !x 1\n") ==
        "spec.yaml:2:13: error: specs have no tags, but '!x' is one; quote a value that must be text");
  CHECK(error_of("{\"a\\n\\t\\e\": 1, \"a\\n\\t\\e\": 2}") ==
        "spec.yaml:1:16: error: the key 'a\\n\\t\\x1b' was already given in line 1");
  const std::string message = error_of("a: !" + std::string(100000, 'k') + " 1\n");
  CHECK(message.size() < 2200);
  CHECK(message.find("k [... ") != std::string::npos);
  CHECK(message.ends_with("kkk' is one; quote a value that must be text"));
}

TEST_CASE("an empty text has a place") {
  CHECK(parse("").position.to_string() == "spec.yaml:1:1");
  CHECK(parse("# nothing\n").position.to_string() == "spec.yaml:1:1");
}

TEST_CASE("a file that cannot be read is named") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_WITH(parse_spec_file(folder.file("none.yaml")),
                    folder.file("none.yaml") + ": the spec cannot be read; check the path and its permissions");
  CHECK_THROWS_AS(parse_spec_file(folder.path()), DataError);
  CHECK(parse_spec_file(folder.write("a.yaml", "a: 1\n")).position.file == folder.file("a.yaml"));
  CHECK(parse_spec_file(folder.write("empty.yaml", "")).is_null());
}

TEST_CASE("an empty text is an empty spec") {
  CHECK(parse("").is_null());
  CHECK(parse("# only a comment\n").is_null());
}

TEST_CASE("what is written parses to the same tree") {
  const std::string texts[] = {
      "a: 1\nb: [1, 2.5, -3e-4]\nc: {d: [], e: {}, f: ~}\n",
      "- a\n- [1, [2, 3]]\n- {x: y}\n- - deep\n  - - deeper\n",
      "q: \"12\"\nr: 'true'\ns: \"\"\nt: \"~\"\nu: \"null\"\n",
      "text: \"two\\nlines\\ttab \\\"quote\\\" back\\\\slash \\x01\"\n",
      "odd: [\"- a\", \"a: b\", \"a #b\", \"#c\", \"[d\", \"e]\", \"f,g\", \" lead\", \"trail \", \"*x\", \"---\", "
      "\"é\"]\n",
      "plain: [model.base.*, a:b, x#y, 1e-2, .5, +3, C:/file.csv, a=b, it's]\n",
      "\"odd key: \": 1\n\"\": 2\n\"12\": 3\n",
      "plain scalar over\n  two lines\n",
      "list:\n  - aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n  - "
      "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n",
      "~\n",
  };
  for (const std::string& text : texts) {
    const SpecNode node = parse(text);
    INFO(text << "---\n" << write_spec(node));
    CHECK(meaning(parse(write_spec(node))) == meaning(node));
  }
}

TEST_CASE("problems come in the order of the text, those of overrides last") {
  Problems problems;
  problems.add({"--set a=1", 0, 0}, "third");
  problems.add({"f.yaml", 4, 2}, "second");
  problems.add({"f.yaml", 4, 1}, "first");
  CHECK(problems.to_string() == "f.yaml:4:1: error: first\nf.yaml:4:2: error: second\n--set a=1: error: third");
  CHECK_THROWS_AS(problems.raise(), SpecError);
  CHECK_NOTHROW(Problems().raise());
}
