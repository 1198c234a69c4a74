// A folder's files as an ASGI application: conditional requests, ranges, compressed siblings, and a cache, so
// that a file in use is answered without asking the file system. docs/static-files.md is the tour.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/asgi/static_options.hpp>

#include <memory>
#include <string>

namespace atlas::asgi {

/// Serves GET and HEAD on http scopes for paths beneath scope.root_path; 405 for other methods, 404 for what
/// may not be served, 403 for what the process may not read. Throws UnsupportedScope for other scopes. Copies
/// share their caches.
///
///   return atlas::serve(asgi::StaticFiles("public"), argc, argv);
class StaticFiles {
 public:
  /// The folder is opened once and stays the same one when its name is given to another. Waits for the disk,
  /// when it must. Throws std::system_error when it cannot be opened, or is none.
  explicit StaticFiles(const std::string& folder, StaticFilesOptions options = {});

  /// Suspends while the client takes its response, and while the disk is asked.
  void operator()(const Scope& scope, Receive& receive, Send& send) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace atlas::asgi
