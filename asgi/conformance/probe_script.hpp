// What the probe does on request: a script of messages. Internal; see probe.hpp.
//
// Steps stand between '|', their words between spaces. '!' before a step: what it throws is noted, and the
// script goes on; else it is thrown on. '+' behind a step's name: `more_body`, `more_trailers`, or for a
// start that trailers will follow.
//   start STATUS NAME:VALUE…   http.response.start
//   body TEXT                  http.response.body
//   fill COUNT                 http.response.body, in pieces of 64 KiB that are noted one by one
//   trailers NAME:VALUE…       http.response.trailers
//   hint LINK                  http.response.early_hint
//   path file|none|relative    http.response.pathsend of a file that has `probe_file_text`, of none, …
//   file OFFSET COUNT          http.response.zerocopysend of that file
//   push PATH                  http.response.push
//   open TYPE                  a message that Atlas does not know
//   startup                    lifespan.startup.complete
//   receive                    one message
//   drain                      messages up to the body's last
//   echo                       as drain, each piece sent as http.response.body
//   set NAME                   changes the scope's state
//   throw                      an exception
#pragma once

#include <atlas/asgi/application.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace atlas::asgi {

inline constexpr std::string_view probe_file_text = "what the probe keeps in its file\n";

/// `note` is called for each message: "ok", "received http.request 3 more", "ContractError: …",
/// "Disconnected: …". Throws what a step has thrown.
void run_probe_script(std::string_view script, const Scope& scope, Receive& receive, Send& send,
                      const std::function<void(std::string)>& note);

}  // namespace atlas::asgi
