#include "io/npy_header.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "pushforward/error.h"

namespace pushforward {
namespace {

/// Just enough of Python's literals: strings without escapes, True, False, tuples of integers.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  NpyHeader parse() {
    NpyHeader header;
    std::set<std::string> seen;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      if (!seen.insert(key).second) fail("the key '{}' twice", key);
      expect(':');
      if (key == "descr") {
        header.type = string();
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
      } else if (key == "shape") {
        header.shape = tuple();
      } else {
        fail("the unknown key '{}'", key);
      }
      if (accept(',')) continue;
      expect('}');
      break;
    }
    skip_space();
    if (place_ != text_.size()) fail("text after its end");
    if (seen.size() != 3) fail("less than its three keys descr, fortran_order and shape");
    return header;
  }

 private:
  template <class... A>
  [[noreturn]] void fail(fmt::format_string<A...> format, A&&... arguments) const {
    throw Error("it holds " + fmt::vformat(format, fmt::make_format_args(arguments...)));
  }

  void skip_space() {
    while (place_ < text_.size() && std::string_view(" \t\r\n").find(text_[place_]) != std::string_view::npos) ++place_;
  }
  bool accept(char c) {
    skip_space();
    if (place_ == text_.size() || text_[place_] != c) return false;
    ++place_;
    return true;
  }
  void expect(char c) {
    if (accept(c)) return;
    if (place_ == text_.size()) fail("no '{}' where one must follow", c);
    fail("'{}' where '{}' must stand", text_[place_], c);
  }

  std::string string() {
    skip_space();
    const char quote = place_ < text_.size() ? text_[place_] : ' ';
    if (quote != '\'' && quote != '"') fail("something else where a string must stand (a structured type?)");
    const std::size_t end = text_.find(quote, place_ + 1);
    if (end == std::string_view::npos) fail("a string without an end");
    const std::string value(text_.substr(place_ + 1, end - place_ - 1));
    place_ = end + 1;
    return value;
  }

  bool boolean() {
    skip_space();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(place_, word.size()) != word) continue;
      place_ += word.size();
      return value;
    }
    fail("a fortran_order that is neither True nor False");
  }

  std::vector<Index> tuple() {
    std::vector<Index> values;
    expect('(');
    while (!accept(')')) {
      Index value = -1;
      const char* begin = text_.data() + place_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
      if (error != std::errc() || value < 0) fail("a shape with something that is no extent");
      place_ += static_cast<std::size_t>(end - begin);
      values.push_back(value);
      accept('L');  // as Python 2 wrote it
      if (accept(',')) continue;
      expect(')');
      break;
    }
    return values;
  }

  std::string_view text_;
  std::size_t place_ = 0;
};

}  // namespace

NpyHeader parse_npy_header(std::string_view text) { return Parser(text).parse(); }

}  // namespace pushforward
