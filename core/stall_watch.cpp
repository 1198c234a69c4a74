#include <atlas/core/stall_watch.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/fiber_record.hpp>
#include <atlas/core/stack_trace.hpp>

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <span>
#include <string_view>
#include <utility>

namespace atlas {
namespace {

constexpr int stall_signal = SIGURG;
constexpr std::size_t frames_max = 48;

/// What a handler leaves behind. Bounded, and copied: the fiber goes on meanwhile.
template <std::size_t bytes_max>
struct CopiedText {
  std::array<char, bytes_max> text;
  std::size_t size = 0;

  void copy(std::string_view from) noexcept {
    size = std::min(from.size(), bytes_max);
    std::copy_n(from.data(), size, text.data());
  }
  [[nodiscard]] std::string str() const { return {text.data(), size}; }
};

/// Who has the record: the watch, until it asks; then the thread that is asked, until it has answered.
enum class Question : std::uint8_t { none, asked, answering, answered };

}  // namespace

struct StallWatch::Watched {
  Watched(const Scheduler& of_scheduler, Duration threshold)
      : scheduler(of_scheduler), worker(of_scheduler.worker_index()), detector(threshold) {}

  void answer() noexcept;

  const Scheduler& scheduler;
  const pthread_t thread = ::pthread_self();
  const int worker;
  detail::StallDetector detector;

  std::atomic<Question> question{Question::none};
  CopiedText<32> fiber;
  CopiedText<512> detail;
  std::array<const void*, frames_max> frames;
  std::size_t frame_count = 0;
};

namespace {

[[gnu::tls_model("initial-exec")]] constinit thread_local StallWatch::Watched* watched_thread = nullptr;

struct sigaction previous_action;

// Only what is async-signal-safe from here to install_handler.
void on_signal(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  if (watched_thread != nullptr) watched_thread->answer();
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal);
  }
  errno = error;
}

void install_handler() {
  detail::prepare_stack_capture();
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(stall_signal, &action, &previous_action);
}

}  // namespace

void StallWatch::Watched::answer() noexcept {
  auto expected = Question::asked;
  if (!question.compare_exchange_strong(expected, Question::answering, std::memory_order_acquire)) return;
  const auto* running = scheduler.running();
  fiber.copy(running != nullptr ? running->name() : std::string_view());
  detail.copy(running != nullptr ? running->detail : std::string_view());
  frame_count = detail::capture_stack(frames);
  question.store(Question::answered, std::memory_order_release);
}

std::optional<Duration> detail::StallDetector::look(Scheduler::Pulse pulse, TimePoint now) noexcept {
  if (!pulse.busy || !busy_since_ || pulse.beat != beat_) {
    beat_ = pulse.beat;
    busy_since_ = pulse.busy ? std::optional(now) : std::nullopt;
    reported_ = false;
    return std::nullopt;
  }
  if (reported_ || now - *busy_since_ < threshold_) return std::nullopt;
  reported_ = true;
  return now - *busy_since_;
}

StallWatch::StallWatch(Duration threshold) : threshold_(threshold) {
  ATLAS_ASSERT(threshold > Duration::zero(), "a stall watch has no threshold");
  static std::once_flag installed;
  std::call_once(installed, install_handler);
}

StallWatch::~StallWatch() { ATLAS_ASSERT(members_.empty(), "a stall watch ended while it had members"); }

StallWatch::Membership::Membership(StallWatch& watch)
    : watch_(watch), watched_(std::make_shared<Watched>(*Scheduler::current(), watch.threshold_)) {
  watched_thread = watched_.get();
  const std::lock_guard lock(watch_.mutex_);
  watch_.members_.push_back(watched_);
}

StallWatch::Membership::~Membership() {
  watched_thread = nullptr;
  const std::lock_guard lock(watch_.mutex_);
  std::erase(watch_.members_, watched_);
}

std::optional<std::pair<StallWatch::WatchedPtr, Duration>> StallWatch::find() {
  const auto now = Scheduler::current()->driver().now();
  const std::lock_guard lock(mutex_);
  for (const auto& watched : members_) {
    if (const auto lasted = watched->detector.look(watched->scheduler.pulse(), now))
      return {{watched, *lasted}};
  }
  return std::nullopt;
}

/// False when the thread has left.
bool StallWatch::interrupt(const WatchedPtr& watched) {
  const std::lock_guard lock(mutex_);
  if (std::find(members_.begin(), members_.end(), watched) == members_.end()) return false;
  const auto question = watched->question.load(std::memory_order_acquire);
  if (question == Question::none || question == Question::answered) {
    watched->question.store(Question::asked, std::memory_order_release);
  }
  return ::pthread_kill(watched->thread, stall_signal) == 0;
}

Result<Stall> StallWatch::look_into(const WatchedPtr& watched, Duration lasted) {
  constexpr auto pause = std::chrono::milliseconds(1);
  constexpr int pauses_max = 1000;
  Stall stall{.worker = watched->worker, .lasted = lasted};
  if (!interrupt(watched)) return stall;
  for (int i = 0; i < pauses_max && watched->question.load(std::memory_order_acquire) != Question::answered;
       ++i) {
    if (auto slept = this_fiber::sleep_for(pause); !slept) return Unexpected(slept.error());
  }
  if (watched->question.load(std::memory_order_acquire) != Question::answered) return stall;
  stall.fiber = watched->fiber.str();
  stall.detail = watched->detail.str();
  for (const void* address : std::span(watched->frames).first(watched->frame_count)) {
    stall.stack.push_back(detail::describe_address(address));
  }
  return stall;
}

Result<Stall> StallWatch::wait() {
  const auto pause = std::max<Duration>(threshold_ / 4, std::chrono::milliseconds(1));
  for (;;) {
    if (const auto found = find()) return look_into(found->first, found->second);
    if (auto slept = this_fiber::sleep_for(pause); !slept) return Unexpected(slept.error());
  }
}

}  // namespace atlas
