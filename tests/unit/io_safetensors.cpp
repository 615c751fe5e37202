// Safetensors files: round trips bit for bit, the bytes that the format prescribes, and every kind of damage refused.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "io/checksum.h"
#include "io/file_error.h"
#include "io/safetensors.h"
#include "support/temporary_folder.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;
using Json = nlohmann::json;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TensorFile small() {
  TensorFile file;
  const float floats[] = {1.5f, -0.0f, std::numeric_limits<float>::quiet_NaN()};
  const double doubles[] = {0.1, 1e-310, -std::numeric_limits<double>::infinity(), 4};
  const std::int64_t integers[] = {std::numeric_limits<std::int64_t>::min(), 7};
  file.tensors["a.float"] = Tensor::of<float>({3}, floats);
  file.tensors["b.double"] = Tensor::of<double>({2, 2}, doubles);
  file.tensors["c.integer"] = Tensor::of<std::int64_t>({2, 1}, integers);
  file.tensors["d.empty"] = Tensor::of<double>({0, 5}, {});
  file.metadata = {{"spec", "seed: 0\nname: \"\xc3\xa9\"\n"}, {"kind", "test"}};
  return file;
}

/// The bytes of a file with this header and this data, with the right checksum if the header has a place for it.
std::string file_with(std::string header, const std::string& data) {
  const std::string key = "\"checksum\":\"crc32:";
  if (const std::size_t found = header.find(key); found != std::string::npos) {
    Crc32 crc;
    crc.add(bytes_of(header));
    crc.add(bytes_of(data));
    header.replace(found + key.size(), 8, crc.hexadecimal());
  }
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

constexpr const char* kMetadata = R"("__metadata__":{"checksum":"crc32:00000000"})";

std::string with_tensors(const std::string& tensors, const std::string& data) {
  return file_with(std::string("{") + kMetadata + "," + tensors + "}", data);
}

/// The message of the refusal, which must be a CheckpointError that names the file.
std::string refusal(const std::string& bytes) {
  try {
    decode_safetensors(bytes, "some.safetensors");
  } catch (const CheckpointError& error) {
    CHECK_THAT(error.what(), Contains("'some.safetensors'"));
    return error.what();
  }
  FAIL("the file was accepted");
  return {};
}

TEST_CASE("CRC-32 has the value that its catalogue gives, in any pieces") {
  const std::string text = "123456789";
  Crc32 whole;
  whole.add(bytes_of(text));
  CHECK(whole.value() == 0xcbf43926u);
  CHECK(whole.hexadecimal() == "cbf43926");
  const std::string longer = "The quick brown fox jumps over the lazy dog";
  for (std::size_t cut = 0; cut <= longer.size(); ++cut) {
    Crc32 pieces;
    pieces.add(bytes_of(std::string_view(longer).substr(0, cut)));
    pieces.add(bytes_of(std::string_view(longer).substr(cut)));
    CHECK(pieces.value() == 0x414fa339u);
  }
  CHECK(Crc32().value() == 0);
}

TEST_CASE("A safetensors file round trips bit for bit") {
  const TensorFile file = small();
  const TensorFile again = decode_safetensors(encode_safetensors(file), "x");
  CHECK(again.metadata == file.metadata);
  REQUIRE(again.tensors.size() == file.tensors.size());
  for (const auto& [name, tensor] : file.tensors) {
    INFO(name);
    const Tensor& other = again.tensors.at(name);
    CHECK(other.type == tensor.type);
    CHECK(other.shape == tensor.shape);
    CHECK(other.bytes == tensor.bytes);
  }
  CHECK(again.tensors.at("c.integer").elements<std::int64_t>()[1] == 7);
}

TEST_CASE("The bytes are those that the format prescribes, the same every time, every element aligned") {
  const std::string bytes = encode_safetensors(small());
  CHECK(bytes == encode_safetensors(small()));
  std::uint64_t length;
  std::memcpy(&length, bytes.data(), 8);
  CHECK(length % 8 == 0);
  REQUIRE(bytes.size() > 8 + length);
  CHECK(bytes[8] == '{');
  const Json header = Json::parse(bytes.substr(8, length));
  CHECK(header["b.double"]["dtype"] == "F64");
  CHECK(header["b.double"]["shape"] == Json({2, 2}));
  CHECK(header["b.double"]["data_offsets"] == Json({0, 32}));
  CHECK(header["c.integer"]["dtype"] == "I64");
  CHECK(header["c.integer"]["data_offsets"] == Json({32, 48}));
  CHECK(header["d.empty"]["data_offsets"] == Json({48, 48}));
  CHECK(header["a.float"]["dtype"] == "F32");
  CHECK(header["a.float"]["data_offsets"] == Json({48, 60}));
  CHECK(header["__metadata__"]["kind"] == "test");
  double first;
  std::memcpy(&first, bytes.data() + 8 + length, 8);
  CHECK(first == 0.1);
}

TEST_CASE("A file without tensors or metadata is one, too") {
  const TensorFile again = decode_safetensors(encode_safetensors({}), "x");
  CHECK(again.tensors.empty());
  CHECK(again.metadata.empty());
}

TEST_CASE("A metadata text that looks like the checksum does not disturb it") {
  TensorFile file = small();
  file.metadata["a"] = R"("checksum":"crc32:00000000")";
  CHECK(decode_safetensors(encode_safetensors(file), "x").metadata == file.metadata);
}

TEST_CASE("Every changed byte and every cut is found") {
  const std::string bytes = encode_safetensors(small());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    INFO("byte " << i);
    CHECK_THROWS_AS(decode_safetensors(changed, "x"), CheckpointError);
    CHECK_THROWS_AS(decode_safetensors(bytes.substr(0, i), "x"), CheckpointError);
  }
  CHECK_THROWS_AS(decode_safetensors(bytes + "x", "x"), CheckpointError);
}

TEST_CASE("What is wrong with a damaged file is said") {
  CHECK_THAT(refusal(""), Contains("it has 0 bytes"));
  std::string bytes = encode_safetensors(small());
  bytes.back() ^= 1;
  CHECK_THAT(refusal(bytes), Contains("its checksum is crc32:") && Contains("bytes were changed or lost"));
  CHECK_THAT(refusal(bytes.substr(0, 40)), Contains("only 32 follow: the file was cut short"));
  CHECK_THAT(refusal(std::string(64, '\xff')), Contains("at most 100000000 are allowed"));
  CHECK_THAT(refusal(file_with("not JSON", "")), Contains("is not valid JSON"));
  CHECK_THAT(refusal(file_with("[]", "")), Contains("is not a JSON object"));
  CHECK_THAT(refusal(file_with("{}", "")), Contains("has no checksum"));
  CHECK_THAT(refusal(file_with(R"({"__metadata__":{"a":"b"}})", "")), Contains("has no checksum"));
  CHECK_THAT(refusal(file_with(R"({"__metadata__":{"a":"1","a":"2"}})", "")), Contains("holds the name 'a' twice"));
  CHECK_THAT(refusal(file_with(R"({"__metadata__":{"checksum":"crc32:00000000","a":1}})", "")),
             Contains("the metadata 'a' is not a string"));
}

TEST_CASE("Entries that do not fit their data are refused, even with a right checksum") {
  const std::string data(16, '\0');
  const auto entry = [](const char* type, const char* shape, const char* offsets) {
    return std::string(R"({"dtype":)") + type + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
  };
  const auto one = [&](const std::string& value) { return refusal(with_tensors(R"("w":)" + value, data)); };
  CHECK(decode_safetensors(with_tensors(R"("w":)" + entry("\"F64\"", "[2]", "[0,16]"), data), "x").tensors.size() == 1);
  CHECK_THAT(one("3"), Contains("the entry of tensor 'w' must have"));
  CHECK_THAT(one(R"({"dtype":"F64","shape":[2]})"), Contains("must have dtype, shape and data_offsets"));
  CHECK_THAT(one(entry("\"BF16\"", "[8]", "[0,16]")), Contains("type \"BF16\"; F32, F64 and I64 can be read"));
  CHECK_THAT(one(entry("\"F64\"", "2", "[0,16]")), Contains("shape of tensor 'w' is not a list"));
  CHECK_THAT(one(entry("\"F64\"", "[-2]", "[0,16]")), Contains("holds -2, which is no extent"));
  CHECK_THAT(one(entry("\"F64\"", "[2.0]", "[0,16]")), Contains("which is no extent"));
  CHECK_THAT(one(entry("\"F64\"", "[3]", "[0,16]")), Contains("shape [3] does not fill its 16 bytes"));
  CHECK_THAT(one(entry("\"F64\"", "[4294967296,4294967296]", "[0,16]")), Contains("does not fill"));
  CHECK_THAT(one(entry("\"F64\"", "[2]", "[0]")), Contains("are not two numbers"));
  CHECK_THAT(one(entry("\"F64\"", "[2]", "[16,0]")), Contains("begin at byte 16 and end before it, at 0"));
  CHECK_THAT(one(entry("\"F64\"", "[2]", "[8,24]")), Contains("end at byte 24 of the data, which has 16"));
  CHECK_THAT(one(entry("\"F64\"", "[1]", "[0,8]")), Contains("8 bytes at its end belong to nothing"));
  CHECK_THAT(one(entry("\"F64\"", "[1]", "[8,16]")), Contains("8 bytes before tensor 'w' belong to nothing"));
  const std::string v = entry("\"F64\"", "[2]", "[0,16]"), w = entry("\"F64\"", "[1]", "[8,16]");
  CHECK_THAT(refusal(with_tensors(R"("v":)" + v + R"(,"w":)" + w, data)), Contains("the tensors 'v' and 'w' overlap"));
  CHECK_THAT(refusal(with_tensors(R"("w":)" + v + R"(,"w":)" + v, data)), Contains("holds the name 'w' twice"));
}

TEST_CASE("What is nested deeper than a recursion can follow is refused") {
  const std::string deep = std::string(500000, '[') + std::string(500000, ']');
  const auto one = [&](const std::string& type, const std::string& shape) {
    return refusal(with_tensors(R"("w":{"dtype":)" + type + R"(,"shape":)" + shape + R"(,"data_offsets":[0,0]})", ""));
  };
  CHECK_THAT(one(deep, "[0]"), Contains("tensor 'w' has type an array; F32, F64 and I64 can be read"));
  CHECK_THAT(one("\"F64\"", "[" + deep + "]"), Contains("the shape of tensor 'w' holds an array, which is no extent"));
}

TEST_CASE("Files are written and read, and a missing one is a CheckpointError with its name") {
  const TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", small());
  CHECK(read_safetensors(folder / "a.safetensors").tensors.size() == 4);
  CHECK(folder.names() == std::vector<std::string>{"a.safetensors"});
  CHECK_THROWS_AS(read_safetensors(folder / "none.safetensors"), CheckpointError);
  CHECK_THROWS_WITH(read_safetensors(folder / "none.safetensors"), Contains("none.safetensors"));
}

TEST_CASE("A text that is not UTF-8 is refused when it is written") {
  TensorFile file;
  file.metadata["spec"] = "\xff";
  CHECK_THROWS_AS(encode_safetensors(file), FileError);
  CHECK_THROWS_WITH(encode_safetensors(file), Contains("not UTF-8"));
}

}  // namespace
