/// The absolute form of a request's target, a proxy's: `http://name:8080/notes/42` (RFC 9112, section 3.2.2).
struct AbsoluteTarget {
  /// It counts, and what `Host` says does not.
  let authority: String
  /// With the query.
  let path: String

  /// nil: the target has another form.
  init?(_ target: String) {
    guard target.utf8.first != UInt8(ascii: "/") else { return nil }
    guard let scheme = ["http://", "https://"].first(where: { target.prefix($0.count).lowercased() == $0 }) else {
      return nil
    }
    let rest = target.dropFirst(scheme.count)
    let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    authority = String(rest[..<end])
    path = (rest[end...].first == "/" ? "" : "/") + rest[end...]
  }
}
