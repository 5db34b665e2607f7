import DocketStore

extension Part {
  /// The reading of all changes of a store, by a thread for scans.
  /// - Parameter kind: what they are.
  static func changes(_ store: Store, _ kind: String) -> Part {
    let count = visitChanges(store)
    return Part("change with its document of 100 bytes, one of \(count), \(kind)", count: count) {
      _ = visitChanges(store)
    }
  }

  /// Returns how many there were.
  private static func visitChanges(_ store: Store) -> Int {
    var count = 0
    store.tick(answers: 1) { answered in
      store.session.changes(
        ChangeRange(after: Revision(0), scanLimit: .max), into: 0,
        visit: { count, change in
          precondition(change.document != nil)
          count += 1
          return .next
        }
      ) { result in
        guard case .success(let read) = result else { preconditionFailure("a store tells its changes: \(result)") }
        count = read.state
        answered()
      }
    }
    return count
  }
}
