// A stream as other threads see it. See loop_handle.hpp for loops and fibers.
#pragma once

#include <atlas/core/loop_handle.hpp>

#include <memory>
#include <utility>

namespace atlas {

class Stream;

/// A stream of any loop. Does not keep it open, and may outlive it.
class StreamHandle {
 public:
  /// Of no stream.
  StreamHandle() noexcept = default;

  /// Calls `task(Stream&)` on the stack of the stream's loop, where it must not suspend nor throw, unless the
  /// stream is closed by then. False, and `task` destroyed uncalled, when the loop has ended.
  template <class Task>
  bool post(Task task) const {
    return loop_.post([slot = slot_, task = std::move(task)]() mutable {
      if (*slot != nullptr) task(**slot);
    });
  }
  /// Stream::abort, as soon as its loop comes round.
  void abort() const;

 private:
  friend class Stream;
  StreamHandle(LoopHandle loop, std::shared_ptr<Stream*> slot) noexcept
      : loop_(std::move(loop)), slot_(std::move(slot)) {}

  LoopHandle loop_;
  std::shared_ptr<Stream*> slot_;  // what it points to is of the loop's thread; null once closed
};

}  // namespace atlas
