// Plugins that were not built like this program become sentences, not crashes.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "pushforward/registry/assembly.h"
#include "registration_reader.h"
#include "support/temporary_folder.h"

using namespace pushforward;
using test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::string bad_plugin(const std::string& name) {
  return fs::canonical(std::string(PUSHFORWARD_BAD_PLUGINS "/") + name + ".so").string();
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

/// The message of a file's refusal, its path replaced by FILE.
std::string refusal(const std::string& file) {
  Registry registry;
  try {
    registry.add_library(file);
  } catch (const PluginError& e) {
    // What is refused is not there.
    CHECK(registry.libraries().empty());
    CHECK(registry.find("bijector", "nothing_at_all") == nullptr);
    return replaced(e.what(), file, "FILE");
  }
  return "no error";
}
std::string refusal_of(const std::string& name) { return refusal(bad_plugin(name)); }

std::string contents(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

const std::string kRebuild = "rebuild the plugin with the headers and the library of pushforward " PUSHFORWARD_VERSION;

}  // namespace

TEST_CASE("a plugin that was built like the program is loaded") {
  Registry registry;
  registry.add_library(bad_plugin("good"));
  REQUIRE(registry.libraries().size() == 1);
  const LoadedLibrary& library = registry.libraries()[0];
  CHECK(library.library == bad_plugin("good"));
  CHECK(library.name == "nothing_at_all");
  CHECK(library.version == "1.2.3");
  CHECK(library.licence == "MIT");
  CHECK(library.checksum.size() == 16);
  const RegisteredComponent* found = registry.find("bijector", "nothing_at_all");
  REQUIRE(found);
  CHECK(found->plugin == "nothing_at_all 1.2.3");
  CHECK(found->library == bad_plugin("good"));
  CHECK(registry.find("transformer", "nothing_at_all") == nullptr);

  registry.add_library(bad_plugin("good"));  // the same file: nothing to do
  CHECK(registry.libraries().size() == 1);
}

TEST_CASE("what does not match is said with both sides' values and what to do") {
  CHECK(refusal_of("magic") ==
        "FILE: its symbol 'pushforward_plugin' is no registration of this toolkit: the plugin has 0x12345678, this "
        "program 0x50465750; register the components with PUSHFORWARD_PLUGIN");
  const std::size_t size = sizeof(PluginInfo);
  CHECK(refusal_of("struct_size") == "FILE: size of the registration in bytes: the plugin has " +
                                         std::to_string(size + 8) + ", this program " + std::to_string(size) + "; " +
                                         kRebuild);
  CHECK(refusal_of("api") == "FILE: version of the plugin API: the plugin has " + std::to_string(kPluginApi + 1) +
                                 ", this program " + std::to_string(kPluginApi) + "; " + kRebuild);
  CHECK(refusal_of("abi_kind") == "FILE: kind of interface: the plugin has 2, this program 1; " + kRebuild);
  const auto sizes = [](std::size_t component, std::size_t field, std::size_t example) {
    return std::to_string(component) + ", " + std::to_string(field) + " and " + std::to_string(example);
  };
  const std::size_t component = sizeof(ComponentInfo), field = sizeof(Field), example = sizeof(Example);
  const auto wrong_sizes = [&](const std::string& theirs) {
    return "FILE: sizes in bytes of a component, a field and an example: the plugin has " + theirs + ", this program " +
           sizes(component, field, example) + "; " + kRebuild;
  };
  CHECK(refusal_of("component_size") == wrong_sizes(sizes(component + 8, field, example)));
  CHECK(refusal_of("field_size") == wrong_sizes(sizes(component, field - 8, example)));
  CHECK(refusal_of("example_size") == wrong_sizes(sizes(component, field, example + 16)));
  const std::string settings = "; rebuild the plugin with the compiler and the settings of this program";
  CHECK(refusal_of("compiler") ==
        std::string("FILE: C++ ABI: the plugin has clang-99/abi-1002, this program ") + kAbi + settings);
  CHECK(refusal_of("no_abi") == std::string("FILE: C++ ABI: the plugin has none, this program ") + kAbi + settings);
  CHECK(refusal_of("debug_library") == "FILE: C++ ABI: the plugin has " +
                                           replaced(kAbi, "glibcxx-release", "glibcxx-debug") + ", this program " +
                                           kAbi + settings);
  CHECK(refusal_of("eigen_version") ==
        "FILE: version of Eigen: the plugin has 3.4.99, this program " + std::to_string(kEigenVersion / 10000) + "." +
            std::to_string(kEigenVersion / 100 % 100) + "." + std::to_string(kEigenVersion % 100) +
            "; rebuild the plugin with the Eigen that this program was built with");
  CHECK(refusal_of("eigen_alignment") ==
        "FILE: EIGEN_MAX_ALIGN_BYTES: the plugin has 32, this program 64; rebuild the plugin with "
        "pushforward_add_plugin, which sets it");
}

TEST_CASE("CPU features that the machine lacks are named") {
  const std::string message = refusal_of("cpu");
  CHECK(message.starts_with("FILE: CPU features: the plugin was compiled for "));
  CHECK(message.find("feature-40, this machine has ") != std::string::npos);
  CHECK(message.ends_with(
      " and lacks feature-40; rebuild the plugin with PUSHFORWARD_ARCH=native on this machine, or for x86-64-v3"));
}

TEST_CASE("none of the code of a refused plugin runs") {
  ::unsetenv("PUSHFORWARD_TEST_BAD_PLUGIN_RAN");
  CHECK(refusal_of("api").starts_with("FILE: version of the plugin API"));
  CHECK(std::getenv("PUSHFORWARD_TEST_BAD_PLUGIN_RAN") == nullptr);
}

TEST_CASE("files that are no plugins") {
  const TemporaryFolder folder;
  const std::string remedy = "; it is no shared library for this machine, or a damaged one; rebuild it, or remove it";
  CHECK(refusal_of("no_symbol") ==
        "FILE: has no symbol 'pushforward_plugin', so it is no plugin; register its components with PUSHFORWARD_PLUGIN "
        "and build it with pushforward_add_plugin");
  CHECK(refusal_of("undefined_symbol") ==
        "FILE: cannot be loaded: undefined symbol: pushforward_test_nowhere; it was linked without a library that it "
        "needs, or against another version of the toolkit; rebuild it with pushforward_add_plugin");
  CHECK(refusal(fs::canonical(folder.write("text.so", std::string(100, 'x'))).string()) ==
        "FILE: cannot be loaded: invalid ELF header" + remedy);
  CHECK(refusal(fs::canonical(folder.write("empty.so", "")).string()) ==
        "FILE: cannot be loaded: file too short" + remedy);
  CHECK(refusal(folder.file("missing.so")) == "FILE: there is no such file; check the path");
  CHECK(refusal(fs::canonical(folder.path()).string()) ==
        "FILE: this is a folder; name a library, or give the folder as a plugin path");
}

TEST_CASE("what is no file that ends is refused, not read") {
  const TemporaryFolder folder;
  const std::string pipe = fs::canonical(folder.path()).string() + "/pipe.so";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(refusal(pipe) == "FILE: is a pipe, a socket or a device; name the file of a library");
  CHECK(refusal("/dev/zero") == "FILE: is a pipe, a socket or a device; name the file of a library");

  const std::string loop = folder.file("loop.so");
  fs::create_symlink(loop, loop);
  CHECK(refusal(loop) == "FILE: cannot be looked at: Too many levels of symbolic links; check the path");
  folder.write("good.so", contents(bad_plugin("good")));
  Registry registry;
  registry.add_folder(folder.path());
  CHECK(registry.find("bijector", "nothing_at_all"));
  CHECK(registry.failures().size() == 2);
}

TEST_CASE("a library for another kind of machine, or a later C++ library, is refused in words that say so") {
  const TemporaryFolder folder;
  std::string other = contents(bad_plugin("good"));
  other[18] = '\x15';  // e_machine
  other[19] = '\0';
  CHECK(refusal(fs::canonical(folder.write("other.so", other)).string()) ==
        "FILE: was built for another kind of machine (number 21 of the ELF format); build it on this one");
  const std::string newer =
      replaced(contents(bad_plugin("good")), std::string("GLIBCXX_3.4\0", 12), std::string("GLIBCXX_9.9\0", 12));
  const std::string message = refusal(fs::canonical(folder.write("newer.so", newer)).string());
  CHECK(message.starts_with("FILE: cannot be loaded: "));
  CHECK(
      message.ends_with("it was built with a newer compiler or C library than this machine has; build it on this "
                        "machine"));
}

TEST_CASE("a library that was cut off anywhere is refused, never loaded") {
  const TemporaryFolder folder;
  const std::string whole = contents(bad_plugin("good"));
  for (const double share : {0.0, 0.0001, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999}) {
    const auto size = static_cast<std::size_t>(share * static_cast<double>(whole.size()));
    const std::string file = fs::canonical(folder.write("cut.so", whole.substr(0, size))).string();
    INFO(size << " of " << whole.size() << " bytes");
    const std::string start = size < 64 ? "FILE: cannot be loaded: file too short"
                                        : "FILE: is cut off: it has " + std::to_string(size) +
                                              " bytes, but its headers tell of " + std::to_string(whole.size()) +
                                              "; copy it again, or rebuild it";
    CHECK(refusal(file).starts_with(start));
  }
}

TEST_CASE("reading the registration out of a damaged file never leaves the file") {
  const std::string whole = contents(bad_plugin("api"));
  const std::optional<StoredRegistration> stored = read_registration(whole);
  REQUIRE(stored);
  CHECK(stored->info.magic == kPluginMagic);
  CHECK(stored->info.api == kPluginApi + 1);
  CHECK(stored->abi == kAbi);
  CHECK(elf_size(whole) == whole.size());
  std::size_t unreadable = 0;
  for (std::size_t at = 0; at + 8 <= 4096; at += 4)
    // The headers, and the tables of sections at the end.
    for (const std::size_t place : {at, whole.size() - 8 - at}) {
      std::string damaged = whole;
      for (std::size_t i = 0; i < 8; ++i) damaged[place + i] = static_cast<char>(0xf5);
      unreadable += read_registration(damaged) ? 0 : 1;
      elf_size(damaged);
    }
  CHECK(unreadable > 0);
}

TEST_CASE("a registration that makes no sense is refused") {
  CHECK(refusal_of("twice") == "FILE: registers the bijector 'nothing_at_all' twice");
  CHECK(refusal_of("no_factory") ==
        "FILE: a component without a kind, a name or a factory; register it with `describe`");
  CHECK(refusal_of("no_licence") ==
        "FILE: the plugin has no name, no version or no licence; register it with PUSHFORWARD_PLUGIN");
  CHECK(refusal_of("no_table") ==
        "FILE: the plugin says that it has 1 components, but has no table of them; register it with "
        "PUSHFORWARD_PLUGIN");
}

TEST_CASE("holes in the tables of a component are refused by name") {
  constexpr Example kGood[] = {{"default", "mine"}};
  const auto refused = [&](const std::vector<Field>& fields, const std::vector<Example>& examples,
                           const std::function<void(ComponentInfo&)>& spoil) {
    ComponentInfo mine{"bijector",      "mine",        "",
                       fields.data(),   fields.size(), examples.data(),
                       examples.size(), nullptr,       [](Build<double>&) -> ComponentBase* { return nullptr; },
                       nullptr};
    spoil(mine);
    Registry registry;
    try {
      registry.add_components(&mine, 1, "FILE");
    } catch (const PluginError& error) {
      CHECK(registry.find("bijector", "mine") == nullptr);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const std::vector<Example> good(std::begin(kGood), std::end(kGood));
  const auto with_fields = [&](const std::vector<Field>& fields) { return refused(fields, good, [](auto&) {}); };
  const auto with_examples = [&](const std::vector<Example>& examples) { return refused({}, examples, [](auto&) {}); };
  const auto spoilt = [&](const std::function<void(ComponentInfo&)>& spoil) { return refused({}, good, spoil); };

  CHECK(with_fields({integer("n", "1", "help"), real("x", "~", "")}) == "no error");
  CHECK(spoilt([](ComponentInfo& c) { c.name = ""; }) ==
        "FILE: a component without a kind, a name or a factory; register it with `describe`");
  CHECK(spoilt([](ComponentInfo& c) { c.summary = nullptr; }) ==
        "FILE: the bijector 'mine' has no summary; say in a line what it is");
  CHECK(spoilt([](ComponentInfo& c) { c.fields = nullptr, c.field_count = 3; }) ==
        "FILE: the bijector 'mine' says that it has 3 fields, but has no table of them; register it with `describe`");
  CHECK(spoilt([](ComponentInfo& c) { c.examples = nullptr; }) ==
        "FILE: the bijector 'mine' says that it has 1 examples, but has no table of them; register it with `describe`");
  CHECK(with_fields({integer("n", "1", "help"), integer(nullptr, "1", "help")}) ==
        "FILE: the field 2 of the bijector 'mine' has no name; give it one");
  CHECK(with_fields({integer("n", "1", "help"), real("n", "1", "help")}) ==
        "FILE: the field 'n' of the bijector 'mine' is there twice; give one of the two another name");
  CHECK(with_fields({integer("n", "1", nullptr)}) ==
        "FILE: the field 'n' of the bijector 'mine' has no help; say in a sentence what it means");
  CHECK(with_fields({choice("n", "a", nullptr, "help")}) ==
        "FILE: the field 'n' of the bijector 'mine' is a choice, but there is nothing to choose");
  CHECK(with_fields({components("n", nullptr, "[]", "help")}) ==
        "FILE: the field 'n' of the bijector 'mine' is a component, but says not of which kind");
  CHECK(with_examples({{nullptr, "mine"}}) == "FILE: the example 1 of the bijector 'mine' has no name; give it one");
  CHECK(with_examples({{"a", nullptr}}) ==
        "FILE: the example 'a' of the bijector 'mine' has no text; give it the component as YAML");
  CHECK(with_examples({{"a", "mine"}, {"a", "mine"}}) ==
        "FILE: the example 'a' of the bijector 'mine' is there twice; give one of the two another name");
  CHECK(with_examples({{"a", "mine", 0}}) ==
        "FILE: the example 'a' of the bijector 'mine' has the event size 0, but must have one of at least 1");
  CHECK(with_examples({{"a", "mine", 1, -2}}) ==
        "FILE: the example 'a' of the bijector 'mine' has the context size -2, but must have one of at least 0");
}

TEST_CASE("two providers of one name are an error that names both files") {
  const TemporaryFolder folder;
  const std::string code = contents(bad_plugin("good"));
  const std::string a = fs::canonical(folder.write("a.so", code)).string(),
                    b = fs::canonical(folder.write("b.so", code)).string();
  const std::string expected = "the bijector 'nothing_at_all' comes from both " + a + " and " + b +
                               "; remove one of the two files, or search only one of their folders";
  Registry registry;
  registry.add_library(a);
  CHECK_THROWS_WITH(registry.add_library(b), expected);
  CHECK(registry.find("bijector", "nothing_at_all")->library == a);

  Registry searching;
  CHECK_THROWS_WITH(searching.add_folder(folder.path()), expected);
}

TEST_CASE("a factory that throws becomes an error with the place in the spec and the library's name") {
  Registry registry;
  registry.add_library(bad_plugin("throwing"));
  const SpecNode node = resolve_component(registry, "bijector", parse_spec_text("nothing_at_all", "spec.yaml"));
  Surroundings around;
  around.event_shape = Shape{2};
  CHECK_THROWS_WITH(assemble<float>(registry, "bijector", node, around, 0, "model.bijectors[3]"),
                    "spec.yaml:1:1: error: model.bijectors[3] (nothing_at_all): the factory in nothing_at_all 1.2.3 (" +
                        bad_plugin("throwing") + ") failed: the factory throws on purpose");
  CHECK_THROWS_AS(assemble<float>(registry, "bijector", node, around, 0, "model"), PluginError);
}

TEST_CASE("a library that cannot be loaded stops nothing else in its folder") {
  const TemporaryFolder folder;
  folder.write("a_broken.so", "not a library");
  folder.write("b_good.so", contents(bad_plugin("good")));
  folder.write("c_api.so", contents(bad_plugin("api")));
  folder.write("notes.txt", "not looked at");
  Registry registry;
  registry.add_folder(folder.path());
  CHECK(registry.find("bijector", "nothing_at_all"));
  REQUIRE(registry.failures().size() == 2);
  CHECK(fs::path(registry.failures()[0].library).filename() == "a_broken.so");
  CHECK(registry.failures()[0].reason.find("file too short") != std::string::npos);
  CHECK(fs::path(registry.failures()[1].library).filename() == "c_api.so");

  registry.add_folder(folder.path() + "/.");  // the same folder: searched once
  CHECK(registry.failures().size() == 2);
  CHECK_THROWS_WITH(registry.add_folder(folder.file("none")),
                    folder.file("none") + ": there is no such folder of plugins; check the path");
}

TEST_CASE("folders are searched in their order, those of the environment too") {
  const TemporaryFolder first, second;
  first.write("good.so", contents(bad_plugin("good")));
  second.write("broken.so", "");
  ::setenv("PUSHFORWARD_PLUGIN_PATH", (second.path() + ":" + first.path() + "::").c_str(), 1);
  Registry registry;
  registry.add_standard_folders({first.path()});
  ::unsetenv("PUSHFORWARD_PLUGIN_PATH");
  CHECK(registry.find("bijector", "nothing_at_all"));
  CHECK(registry.failures().size() >= 1);
  CHECK(fs::path(registry.failures()[0].library).filename() == "broken.so");
}

TEST_CASE("folders that the command line or the environment name must be there") {
  const TemporaryFolder folder;
  const std::string none = folder.file("none"), file = folder.write("file", "");
  Registry registry;
  CHECK_THROWS_AS(registry.add_standard_folders({none}), SpecError);
  CHECK_THROWS_WITH(registry.add_standard_folders({none}),
                    "option '--plugin-path' names '" + none + "', which does not exist; give a folder of plugins");
  CHECK_THROWS_WITH(registry.add_standard_folders({file}),
                    "option '--plugin-path' names '" + file + "', which is a file; give the folder that it is in");
  CHECK_THROWS_WITH(registry.add_standard_folders({""}),
                    "option '--plugin-path' is empty; give a folder of plugins, or leave it out");
  const auto error_of_variable = [&](const std::string& value) {
    ::setenv("PUSHFORWARD_PLUGIN_PATH", value.c_str(), 1);
    std::string message = "no error";
    try {
      registry.add_standard_folders({});
    } catch (const SpecError& e) {
      message = e.what();
    }
    ::unsetenv("PUSHFORWARD_PLUGIN_PATH");
    return message;
  };
  CHECK(error_of_variable(folder.path() + ":" + none) ==
        "the variable PUSHFORWARD_PLUGIN_PATH names '" + none + "', which does not exist; give a folder of plugins");
  CHECK(error_of_variable("") == "the variable PUSHFORWARD_PLUGIN_PATH is empty; give folders of plugins, or unset it");
  CHECK(error_of_variable(folder.path()) == "no error");
  const std::string too_long(5000, 'x');
  CHECK(error_of_variable(too_long) == "the variable PUSHFORWARD_PLUGIN_PATH names '" + too_long +
                                           "', which does not exist; give a folder of plugins");
}

TEST_CASE("components of the program itself") {
  constexpr Example kExamples[] = {{"default", "mine"}};
  const ComponentInfo mine[] = {{"metric", "mine", "", nullptr, 0, kExamples, 1, nullptr,
                                 [](Build<double>&) -> ComponentBase* { return nullptr; }, ""}};
  Registry registry;
  registry.add_components(mine, 1);
  REQUIRE(registry.find("metric", "mine"));
  CHECK(registry.find("metric", "mine")->library == "this program");
  CHECK(registry.kinds() == std::vector<std::string>{"distribution", "metric"});  // the toolkit's own `flow`, and mine
  CHECK(registry.components("metric").size() == 1);
  CHECK(registry.components().size() == 2);
  CHECK_THROWS_WITH(registry.add_components(mine, 1, "another part"),
                    "the metric 'mine' comes from both this program and another part; remove one of the two files, or "
                    "search only one of their folders");
}
