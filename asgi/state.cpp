#include <atlas/asgi/state.hpp>

namespace atlas::asgi {

State::Values& State::own() {
  if (!values_) {
    values_ = std::make_shared<Values>();
  } else if (values_.use_count() > 1) {
    values_ = std::make_shared<Values>(*values_);
  }
  return *values_;
}

}  // namespace atlas::asgi
