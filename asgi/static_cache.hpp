// The last names that were asked for and what they are, bounded in every direction. One for each worker, so
// that no worker waits for another.
#pragma once

#include <atlas/asgi/static_options.hpp>
#include <atlas/asgi/static_resource.hpp>
#include <atlas/core/time.hpp>

#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace atlas::asgi {

/// Safe from any thread. The lock is there for workers that must share one; it is held for no longer than a
/// look-up takes.
class StaticCache {
 public:
  /// What is known, and whether that is fresh; the resource is null when nothing is known.
  struct Known {
    StaticResourcePtr resource;
    bool fresh = false;
  };

  /// `name` becomes the last to be forgotten.
  [[nodiscard]] Known find(std::string_view name, TimePoint now, Duration fresh);
  /// Remembers what was found out at `now`, and forgets the names not asked for the longest, down to the
  /// limits. A resource that is too large for them on its own is not remembered.
  void put(std::string_view name, StaticResourcePtr resource, TimePoint now,
           const StaticCacheOptions& options);

  struct Size {
    std::size_t names = 0;
    std::size_t open_files = 0;
    std::size_t content_bytes = 0;

    friend bool operator==(const Size&, const Size&) = default;
  };
  [[nodiscard]] Size size() const;

 private:
  struct Entry {
    std::string name;
    StaticResourcePtr resource;
    TimePoint checked;
  };
  using Entries = std::list<Entry>;

  void forget(Entries::iterator entry);
  [[nodiscard]] static bool exceeds(const Size& size, const StaticCacheOptions& options) noexcept;

  mutable std::mutex mutex_;
  Entries entries_;                                                  // the last that was asked for first
  std::unordered_map<std::string_view, Entries::iterator> by_name_;  // the names are the entries'
  Size size_;
};

}  // namespace atlas::asgi
