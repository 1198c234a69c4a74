#include <atlas/asgi/static_cache.hpp>

#include <iterator>
#include <utility>

namespace atlas::asgi {

StaticCache::Known StaticCache::find(std::string_view name, TimePoint now, Duration fresh) {
  const std::lock_guard lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return {};
  entries_.splice(entries_.begin(), entries_, found->second);
  return {found->second->resource, now - found->second->checked < fresh};
}

void StaticCache::put(std::string_view name, StaticResourcePtr resource, TimePoint now,
                      const StaticCacheOptions& options) {
  const Size own{1, resource->open_files(), resource->content_bytes()};
  const std::lock_guard lock(mutex_);
  if (const auto known = by_name_.find(name); known != by_name_.end()) forget(known->second);
  if (exceeds(own, options)) return;
  entries_.push_front({std::string(name), std::move(resource), now});
  by_name_.emplace(entries_.front().name, entries_.begin());
  size_ = {size_.names + own.names, size_.open_files + own.open_files,
           size_.content_bytes + own.content_bytes};
  while (exceeds(size_, options)) forget(std::prev(entries_.end()));
}

void StaticCache::forget(Entries::iterator entry) {
  size_.names -= 1;
  size_.open_files -= entry->resource->open_files();
  size_.content_bytes -= entry->resource->content_bytes();
  by_name_.erase(entry->name);
  entries_.erase(entry);
}

bool StaticCache::exceeds(const Size& size, const StaticCacheOptions& options) noexcept {
  return size.names > options.names_max || size.open_files > options.open_files_max ||
         size.content_bytes > options.content_bytes_max;
}

StaticCache::Size StaticCache::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

}  // namespace atlas::asgi
