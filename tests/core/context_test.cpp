#include <atlas/core/context.hpp>

#include <atlas/core/stack_pool.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace atlas::detail {
namespace {

/// A stack, and the pool that it comes from.
class TestStack {
 public:
  ~TestStack() { pool_.give_back(memory_); }
  [[nodiscard]] const StackMemory& memory() const { return memory_; }

 private:
  StackPool pool_{std::size_t{64} * 1024};
  StackMemory memory_ = pool_.take();
};

/// A context on a stack of its own, whose body is a closure that may leave.
class TestContext {
 public:
  explicit TestContext(std::function<void(TestContext&)> body)
      : body_(std::move(body)), context_(stack_.memory(), run, this) {}
  TestContext(const TestContext&) = delete;
  TestContext& operator=(const TestContext&) = delete;

  void enter() { context_.enter(); }
  void leave() { context_.leave(); }
  [[nodiscard]] const StackMemory& stack() const { return stack_.memory(); }

 private:
  static void run(void* self) { static_cast<TestContext*>(self)->body_(*static_cast<TestContext*>(self)); }

  std::function<void(TestContext&)> body_;
  TestStack stack_;
  Context context_;
};

std::string current_message() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  }
}

TEST(Context, RunsItsBodyOnItsOwnStack) {
  const void* address = nullptr;
  TestContext context([&](TestContext&) {
    char local = 0;
    address = &local;
  });
  context.enter();
#if !defined(__SANITIZE_ADDRESS__)  // which may keep locals elsewhere
  EXPECT_GE(address, static_cast<const void*>(context.stack().bottom));
  EXPECT_LT(address, static_cast<const void*>(context.stack().top));
#else
  EXPECT_NE(address, nullptr);
#endif
}

TEST(Context, IsNotRunByItsConstructorOrDestructor) {
  bool ran = false;
  {
    const TestContext context([&](TestContext&) { ran = true; });
  }
  EXPECT_FALSE(ran);
}

TEST(Context, LeavesAndGoesOnWhereItLeft) {
  std::vector<int> order;
  TestContext context([&](TestContext& self) {
    order.push_back(1);
    self.leave();
    order.push_back(3);
  });
  context.enter();
  order.push_back(2);
  context.enter();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(Context, RunsItsBodyAnewAtEachEntry) {
  int runs = 0;
  TestContext context([&](TestContext&) { ++runs; });
  for (int i = 0; i < 5; ++i) context.enter();
  EXPECT_EQ(runs, 5);
}

TEST(Context, ThrowsAndCatchesInside) {
  std::string caught;
  TestContext context([&](TestContext& self) {
    try {
      self.leave();
      throw std::runtime_error("inside");
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
  });
  context.enter();
  context.enter();
  EXPECT_EQ(caught, "inside");
}

TEST(Context, KeepsTheExceptionsOfCatchBlocksApart) {
  std::vector<std::string> seen;
  const auto body = [&](const char* message) {
    return [&seen, message](TestContext& self) {
      try {
        throw std::runtime_error(message);
      } catch (const std::exception&) {
        self.leave();
        seen.push_back(current_message());
      }
    };
  };
  TestContext first(body("first"));
  TestContext second(body("second"));
  first.enter();
  second.enter();
  EXPECT_EQ(std::current_exception(), nullptr);
  first.enter();  // in the order in which a stack of exceptions would mix them up
  second.enter();
  EXPECT_EQ(seen, (std::vector<std::string>{"first", "second"}));
}

TEST(Context, EnteredFromACatchBlockSeesNoneOfItsException) {
  bool saw_one = true;
  std::string outside;
  TestContext context([&](TestContext&) { saw_one = std::current_exception() != nullptr; });
  try {
    throw std::runtime_error("outside");
  } catch (const std::exception&) {
    context.enter();
    outside = current_message();
  }
  EXPECT_FALSE(saw_one);
  EXPECT_EQ(outside, "outside");
}

TEST(Context, KeepsUncaughtExceptionsApart) {
  int inside = -1;
  int outside = -1;
  struct LeaveWhileUnwinding {
    TestContext& context;
    int& count;
    ~LeaveWhileUnwinding() {
      context.leave();
      count = std::uncaught_exceptions();
    }
  };
  TestContext context([&](TestContext& self) {
    try {
      const LeaveWhileUnwinding leaver{self, inside};
      throw std::runtime_error("unwinding");
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
    }
  });
  context.enter();
  outside = std::uncaught_exceptions();
  context.enter();
  EXPECT_EQ(outside, 0);
  EXPECT_EQ(inside, 1);
}

TEST(Context, LocalsAndFloatingPointModesSurviveManySwitches) {
  double sum = 0;
  TestContext context([&](TestContext& self) {
    double mine = 0;
    for (int i = 0; i < 1000; ++i) {
      mine += 0.5;
      self.leave();
    }
    sum = mine;
  });
  for (int i = 0; i <= 1000; ++i) context.enter();
  EXPECT_DOUBLE_EQ(sum, 500);
}

TEST(ContextDeathTest, DestructionWhileTheBodyHasOnlyLeftAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestContext context([](TestContext& self) {
          self.leave();
          self.leave();
        });
        context.enter();
      },
      "a context was destroyed while its body had not returned");
}

}  // namespace
}  // namespace atlas::detail
