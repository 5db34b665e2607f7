import Glibc

/// Users and groups of this machine, by name or number.
enum AccountName {
  private static let largestEntry = 1 << 20

  static func userID(_ name: String) -> UInt32? {
    if let number = number(name) { return number }
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    return lookUp { getpwnam_r(name, &entry, $0, $1, &found) } && found != nil ? entry.pw_uid : nil
  }

  static func groupID(_ name: String) -> UInt32? {
    if let number = number(name) { return number }
    var entry = group()
    var found: UnsafeMutablePointer<group>?
    return lookUp { getgrnam_r(name, &entry, $0, $1, &found) } && found != nil ? entry.gr_gid : nil
  }

  /// The largest id says "none" to the kernel.
  private static func number(_ text: String) -> UInt32? {
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return UInt32(text).flatMap { $0 == .max ? nil : $0 }
  }

  /// Calls `body` with more and more memory, until an entry fits.
  private static func lookUp(_ body: (UnsafeMutablePointer<CChar>, Int) -> Int32) -> Bool {
    var size = 4 << 10
    while true {
      let memory = UnsafeMutablePointer<CChar>.allocate(capacity: size)
      defer { memory.deallocate() }
      let outcome = body(memory, size)
      guard outcome == ERANGE, size < largestEntry else { return outcome == 0 }
      size *= 4
    }
  }
}
