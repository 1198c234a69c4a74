// Several things at a time, each on a fiber of its own, all on this thread: wait for all of them, or for the
// first. These fibers inherit the caller's fiber-locals and the deadline of its DeadlineScope.
#pragma once

#include <atlas/core/event.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace atlas {

namespace detail {

template <class Task>
using TaskResult = std::invoke_result_t<Task&>;
/// What stands for a task's result; std::monostate for void.
template <class Task>
using TaskValue =
    std::conditional_t<std::is_void_v<TaskResult<Task>>, std::monostate, std::decay_t<TaskResult<Task>>>;

template <class Task>
TaskValue<Task> run_task(Task& task) {
  if constexpr (std::is_void_v<TaskResult<Task>>) {
    std::invoke(task);
    return {};
  } else {
    return std::invoke(task);
  }
}

template <std::size_t... I, class... Tasks>
Result<std::tuple<TaskValue<Tasks>...>> run_all(std::index_sequence<I...>, Deadline deadline,
                                                Tasks&... tasks) {
  std::tuple<std::optional<TaskValue<Tasks>>...> values;
  FiberGroup group;
  (group.spawn("when_all", [&] { std::get<I>(values).emplace(run_task(tasks)); }), ...);
  if (const auto joined = group.join(deadline); !joined) return Unexpected(joined.error());
  return std::tuple<TaskValue<Tasks>...>(std::move(*std::get<I>(values))...);
}

/// What the first of several tasks came to.
template <class... Tasks>
struct FirstOutcome {
  std::optional<std::variant<TaskValue<Tasks>...>> value;
  std::exception_ptr exception;
  local::Event known;

  template <std::size_t I, class Task>
  void run(Task& task) {
    try {
      auto result = run_task(task);
      if (!known.is_set()) value.emplace(std::in_place_index<I>, std::move(result));
    } catch (...) {
      if (!known.is_set()) exception = std::current_exception();
    }
    known.set();
  }
};

template <std::size_t... I, class... Tasks>
Result<std::variant<TaskValue<Tasks>...>> run_any(std::index_sequence<I...>, Deadline deadline,
                                                  Tasks&... tasks) {
  FirstOutcome<Tasks...> first;
  Result<void> waited;
  {
    FiberGroup group;
    (group.spawn("when_any", [&] { first.template run<I>(tasks); }), ...);
    waited = first.known.wait(deadline);
  }
  if (!waited) return Unexpected(waited.error());
  if (first.exception) std::rethrow_exception(first.exception);
  return std::move(*first.value);
}

}  // namespace detail

/// Suspends until all `tasks` have ended; their results, std::monostate where there is none. An exception in
/// one cancels the others and comes out once they have ended. Errors: timed_out, operation_canceled; then,
/// too, all have been cancelled and have ended. A Result that holds an error is a result like any other.
///
///   auto [user, orders] = when_all([&] { return load_user(id); }, [&] { return load_orders(id); }).value();
template <class... Tasks>
requires(sizeof...(Tasks) > 0 && (std::invocable<Tasks&> && ...))
    [[nodiscard]] auto when_all(Deadline deadline, Tasks&&... tasks) {
  return detail::run_all(std::index_sequence_for<Tasks...>(), deadline, tasks...);
}
template <class... Tasks>
requires(sizeof...(Tasks) > 0 && (std::invocable<Tasks&> && ...))
    [[nodiscard]] auto when_all(Tasks&&... tasks) {
  return detail::run_all(std::index_sequence_for<Tasks...>(), Deadline(), tasks...);
}

/// Suspends until the first of `tasks` has ended and the others, which are cancelled then, have too. A
/// std::variant: its index() tells which one was first, its value what it returned. When it ended by an
/// exception, that comes out; what the others return or throw is dropped. Errors: timed_out,
/// operation_canceled; then all have been cancelled and have ended.
///
///   auto answer = when_any([&] { return ask(primary); }, [&] { return ask(replica); }).value();
template <class... Tasks>
requires(sizeof...(Tasks) > 0 && (std::invocable<Tasks&> && ...))
    [[nodiscard]] auto when_any(Deadline deadline, Tasks&&... tasks) {
  return detail::run_any(std::index_sequence_for<Tasks...>(), deadline, tasks...);
}
template <class... Tasks>
requires(sizeof...(Tasks) > 0 && (std::invocable<Tasks&> && ...))
    [[nodiscard]] auto when_any(Tasks&&... tasks) {
  return detail::run_any(std::index_sequence_for<Tasks...>(), Deadline(), tasks...);
}

}  // namespace atlas
