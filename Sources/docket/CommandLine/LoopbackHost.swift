/// Tells the hosts that no other machine reaches, and the way to which nobody else sees.
enum LoopbackHost {
  /// - Parameter host: a name or an address. A name is not looked up; one that means this machine in `/etc/hosts` counts as another.
  static func contains(_ host: String) -> Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    return parts.count == 4 && parts[0] == 127 && !parts.contains(nil)
  }
}
