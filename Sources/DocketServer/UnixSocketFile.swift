import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The file of a unix socket, which outlives a server that was killed.
struct UnixSocketFile {
  private let path: String
  private let device: dev_t
  private let inode: ino_t

  /// The one that has just been bound to this name; nil where it is gone already.
  init?(at path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    self.path = path
    (device, inode) = (status.st_dev, status.st_ino)
  }

  /// Removes it, unless its name is another one's by now.
  func remove() {
    guard let named = Self(at: path), named.device == device, named.inode == inode else { return }
    unlink(path)
  }

  /// Removes a socket that nobody listens on; one that somebody does is left alone, and so is any other file.
  static func makeRoom(at path: String) throws(ListenError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
    guard !isLive(path) else { throw .socketIsLive(path: path) }
    guard unlink(path) == 0 else {
      throw .other(.unixSocket(path: path), reason: String(cString: strerror(errno)))
    }
  }

  private static func isLive(_ path: String) -> Bool {
    let descriptor = makeSocket()
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    // A full backlog refuses with EAGAIN, but somebody listens.
    return withAddress(of: path) { connect(descriptor, $0, $1) } == 0 || errno == EAGAIN
  }

  /// A socket that listens at a path. Whoever closes it has to remove its file.
  /// - Parameter mask: what of its mode is left out from its very beginning. Whatever another thread makes meanwhile is Docket's own,
  ///   too.
  static func listen(at path: String, mask: mode_t, backlog: Int32) throws(IOError) -> CInt {
    let descriptor = makeSocket()
    guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
    let former = umask(mask)
    let isBound = withAddress(of: path) { bind(descriptor, $0, $1) } == 0
    let reason = errno
    umask(former)
    guard isBound else {
      close(descriptor)
      throw IOError(errnoCode: reason, reason: "bind")
    }
    let file = Self(at: path)
    guard platformListen(descriptor, backlog) == 0 else {
      let reason = errno
      file?.remove()
      close(descriptor)
      throw IOError(errnoCode: reason, reason: "listen")
    }
    return descriptor
  }

  private static func makeSocket() -> CInt {
    #if canImport(Glibc) || canImport(Musl)
      return socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    #else
      return socket(AF_UNIX, SOCK_STREAM, 0)
    #endif
  }

  /// - Returns: what `body` returns, or -1 where the path is too long for a socket's (unix(7)).
  private static func withAddress(
    of path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
  ) -> CInt {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
      errno = ENAMETOOLONG
      return -1
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }
}

/// The system's, which `UnixSocketFile.listen` would hide.
private func platformListen(_ descriptor: CInt, _ backlog: Int32) -> CInt { listen(descriptor, backlog) }
