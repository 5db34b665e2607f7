#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Who may connect to a unix socket: its mode and its group. To connect takes the right to write (unix(7)).
public struct UnixSocketAccess: Sendable, Equatable {
  /// Of the permissions of the file, such as `0o660`.
  public var mode: UInt32
  /// The id of the file's group; nil: that of the process.
  public var group: UInt32?

  public init(mode: UInt32 = 0o600, group: UInt32? = nil) {
    precondition(mode <= 0o777)
    self.mode = mode
    self.group = group
  }

  /// The umask with which the file is made. Where it is to get another group, nobody but its owner has a right to it before.
  var mask: mode_t {
    mode_t(~(group == nil ? mode : mode & 0o700) & 0o777)
  }

  /// Gives a file its group, and the rights that it did not have before.
  func complete(at path: String) throws(ListenError) {
    guard let group else { return }
    func fail(_ what: String) -> ListenError {
      .other(.unixSocket(path: path), reason: "\(what): \(String(cString: strerror(errno)))")
    }
    guard lchown(path, uid_t.max, group) == 0 else {
      throw fail("its group cannot be \(group), of which this user must be a member (--unix-socket-group)")
    }
    guard chmod(path, mode_t(mode)) == 0 else { throw fail("its mode cannot be set") }
  }
}
