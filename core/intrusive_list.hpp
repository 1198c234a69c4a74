// A doubly linked list whose links lie in its members: nothing is allocated, and a member leaves
// without being searched for.
#pragma once

namespace atlas::detail {

template <class Owner>
struct ListLink {
  explicit ListLink(Owner* link_owner = nullptr) noexcept : owner(link_owner) {}
  ~ListLink() { unlink(); }
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;

  ListLink* previous = this;
  ListLink* next = this;
  Owner* owner;  // null in a list's head

  /// For a head: whether the list is empty. For a member: whether it is in no list.
  [[nodiscard]] bool alone() const noexcept { return next == this; }

  void insert_before(ListLink& link) noexcept {
    previous = link.previous;
    next = &link;
    link.previous->next = this;
    link.previous = this;
  }

  void unlink() noexcept {
    previous->next = next;
    next->previous = previous;
    previous = next = this;
  }
};

}  // namespace atlas::detail
