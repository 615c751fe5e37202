// NodeBuild: one node of a resolved spec, as its factory sees it.
#pragma once

#include "assembler.h"

namespace pushforward {

template <class T>
class NodeBuild final : public Build<T> {
 public:
  /// `fields`: the component's resolved fields. `path`: how the places of its numbers begin; `label`: how messages call
  /// it. All must outlive the build.
  NodeBuild(Assembler<T>& assembler, const ComponentInfo& info, const SpecNode& fields,
            const Surroundings& surroundings, std::string path, std::string label);

  const Surroundings& surroundings() const override { return surroundings_; }
  const std::string& path() const override { return path_; }
  ComponentId id() override { return id_; }

  bool given(const char* field) override;
  bool boolean(const char* field) override;
  Index integer(const char* field) override;
  double real(const char* field) override;
  std::string text(const char* field) override;
  std::string file(const char* field) override;
  std::vector<Index> integers(const char* field) override;
  std::vector<double> reals(const char* field) override;
  std::vector<std::string> texts(const char* field) override;
  FieldValue<T> value(const char* field, Index columns, bool positive) override;

  Parameter parameter(const std::string& name, Index rows, Index columns, const Initial& initial, Role role) override;
  Parameter derived(const std::string& name, Index rows, Index columns) override;
  State state(const std::string& name, const std::vector<double>& start) override;
  State integer_state(const std::string& name, const std::vector<std::int64_t>& start) override;
  Statistic statistic(const std::string& name, Index columns) override;

  Index count(const char* field) override;
  [[noreturn]] void fail(const char* field, const std::string& message) const override;

  /// Tells the assembler which declared fields nobody asked for.
  void report_unread() const;

 protected:
  std::unique_ptr<ComponentBase> make_child(const char* field, Index index, const char* kind,
                                            const Surroundings& surroundings, const std::string& name) override;

 private:
  /// The declared field, which must be of one of these types; marks it as read.
  const Field& declared(const char* field, std::initializer_list<FieldType> types);
  /// The value of a field that must be given.
  const SpecNode& node(const char* field, std::initializer_list<FieldType> types);
  std::string place(const std::string& name) const { return path_ + "." + name; }
  [[noreturn]] void misuse(const std::string& message) const;
  std::vector<T> expand(const char* field, const SpecNode& numbers, Index columns) const;
  void learnable(FieldValue<T>& value, const char* field, const SpecNode* start);
  void network(FieldValue<T>& value, const char* field, const SpecNode& node);

  Assembler<T>& assembler_;
  const ComponentInfo& info_;
  const SpecNode& fields_;
  Surroundings surroundings_;
  std::string path_, label_;
  ComponentId id_;
  Index parameters_ = 0;
  std::set<std::string> read_;
};

extern template class NodeBuild<float>;
extern template class NodeBuild<double>;

}  // namespace pushforward
