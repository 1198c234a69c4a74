#include <atlas/core/fiber_local.hpp>

#include <atlas/core/fiber.hpp>
#include "support/manual_driver.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::TestLoop;

const FiberLocal<std::string> request_id;
const FiberLocal<int> depth;

std::string bound_id() { return request_id.get() != nullptr ? *request_id.get() : "none"; }

TEST(FiberLocal, IsUnboundAtFirstAndOutsideOfFibers) {
  EXPECT_EQ(request_id.get(), nullptr);
  TestLoop loop;
  loop.run([] { EXPECT_EQ(request_id.get(), nullptr); });
}

TEST(FiberLocal, InnerScopeHidesTheOuterOne) {
  TestLoop loop;
  loop.run([] {
    const FiberLocal<std::string>::Scope outer(request_id, "outer");
    {
      const FiberLocal<std::string>::Scope inner(request_id, std::size_t{3}, 'i');
      EXPECT_EQ(bound_id(), "iii");
    }
    EXPECT_EQ(bound_id(), "outer");
  });
}

TEST(FiberLocal, KeysAreIndependent) {
  TestLoop loop;
  loop.run([] {
    const FiberLocal<std::string>::Scope id(request_id, "id");
    const FiberLocal<int>::Scope level(depth, 7);
    EXPECT_EQ(bound_id(), "id");
    EXPECT_EQ(*depth.get(), 7);
  });
}

TEST(FiberLocal, SurvivesSuspensionAndIsNoneOfOtherFibers) {
  TestLoop loop;
  loop.run([] {
    auto other = spawn("other", [] {
      const FiberLocal<std::string>::Scope scope(request_id, "other");
      this_fiber::sleep_for(1s).value();
      EXPECT_EQ(bound_id(), "other");
    });
    this_fiber::sleep_for(500ms).value();
    EXPECT_EQ(bound_id(), "none");
    other.join().value();
  });
}

TEST(FiberLocal, IsInheritedAndKeptWhenTheParentsScopeEnds) {
  TestLoop loop;
  loop.run([] {
    Fiber child;
    {
      const FiberLocal<std::string>::Scope scope(request_id, "parent");
      child = spawn("child", [] {
        this_fiber::sleep_for(1s).value();
        EXPECT_EQ(bound_id(), "parent");
        auto grandchild = spawn("grandchild", [] { EXPECT_EQ(bound_id(), "parent"); });
        grandchild.join().value();
      });
    }
    EXPECT_EQ(bound_id(), "none");
    child.join().value();
  });
}

TEST(FiberLocal, ChildsScopeIsNotTheParents) {
  TestLoop loop;
  loop.run([] {
    const FiberLocal<std::string>::Scope scope(request_id, "parent");
    auto child = spawn("child", [] {
      const FiberLocal<std::string>::Scope own(request_id, "child");
      this_fiber::yield();
      EXPECT_EQ(bound_id(), "child");
    });
    this_fiber::yield();
    EXPECT_EQ(bound_id(), "parent");
    child.join().value();
  });
}

TEST(FiberLocal, ValueIsDestroyedWithItsLastUser) {
  const FiberLocal<std::shared_ptr<int>> local;
  const auto value = std::make_shared<int>(1);
  TestLoop loop;
  loop.run([&] {
    Fiber child;
    {
      const FiberLocal<std::shared_ptr<int>>::Scope scope(local, value);
      child = spawn("child", [] { this_fiber::yield(); });
      EXPECT_EQ(value.use_count(), 2);
    }
    EXPECT_EQ(value.use_count(), 2);
    child.join().value();
    EXPECT_EQ(value.use_count(), 1);
  });
}

TEST(FiberLocal, ScopeEndsWithAnException) {
  TestLoop loop;
  loop.run([] {
    try {
      const FiberLocal<std::string>::Scope scope(request_id, "thrown");
      throw std::runtime_error("out");
    } catch (const std::runtime_error&) {
      EXPECT_EQ(bound_id(), "none");
    }
  });
}

TEST(FiberLocal, PooledFibersStartUnbound) {
  TestLoop loop;
  loop.run([] {
    {
      const FiberLocal<std::string>::Scope scope(request_id, "first");
      spawn("first", [] {}).join().value();
    }
    spawn("second", [] { EXPECT_EQ(bound_id(), "none"); }).join().value();
  });
}

}  // namespace
}  // namespace atlas
