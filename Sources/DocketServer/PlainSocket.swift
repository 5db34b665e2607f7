import NIOCore
import NIOSSL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A connection's socket, where nothing stands between it and the handler: what is sent needs no way through a pipeline.
///
/// Answers mostly fit into the kernel's buffer. To hand them to the kernel at once costs 0.7 µs less for each than a
/// write through NIO, a tenth of what a read over one connection takes in all. What the kernel does not take goes
/// through NIO, which waits until it does.
struct PlainSocket {
  private let channel: any Channel
  private let descriptor: NIOBSDSocket.Handle

  /// - Parameter context: of the only handler that its channel has. nil where the channel has no socket of its own, and where
  ///   there is TLS: what is sent by this would be plain.
  init?(_ context: ChannelHandlerContext) {
    let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
    guard tls == nil, let descriptor = context.socketDescriptor else { return nil }
    channel = context.channel
    self.descriptor = descriptor
  }

  /// Sends as much of the first `count` bytes as the kernel takes, and moves the reader index behind it. On the channel's event loop only; nothing that
  /// was written through the channel may still be waiting.
  func send(_ bytes: inout ByteBuffer, atMost count: Int) {
    // Once a channel is not active its descriptor may be another connection's.
    guard channel.isActive else { return }
    bytes.readWithUnsafeReadableBytes { bytes in
      #if canImport(Darwin)
        let flags = Int32(MSG_DONTWAIT)
      #else
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
      #endif
      // An error is met again, and dealt with, where NIO writes the rest.
      #if canImport(Glibc)
        return max(0, Glibc.send(descriptor, bytes.baseAddress, min(count, bytes.count), flags))
      #elseif canImport(Musl)
        return max(0, Musl.send(descriptor, bytes.baseAddress, min(count, bytes.count), flags))
      #else
        return max(0, Darwin.send(descriptor, bytes.baseAddress, min(count, bytes.count), flags))
      #endif
    }
  }
}

extension ChannelHandlerContext {
  /// Of the channel's own socket, if it has one: its own only while it is active.
  fileprivate var socketDescriptor: NIOBSDSocket.Handle? {
    let transport = try? pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
    return transport ?? nil
  }

  /// How much of what was sent the other end has yet to acknowledge, and of a Unix socket to read, in bytes; 0 where that cannot be
  /// told (tcp(7), SIOCOUTQ). On the channel's event loop only.
  package var unacknowledgedBytes: Int {
    var count: Int32 = 0
    guard channel.isActive, let descriptor = socketDescriptor, ioctl(descriptor, UInt(TIOCOUTQ), &count) == 0 else {
      return 0
    }
    return Int(count)
  }

  /// How much of what was written the kernel has not taken, in bytes. On the channel's event loop only.
  package var unsentBytes: Int {
    (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
  }

  /// How much the client has yet to take of what was written, in bytes: the kernel takes more only when a good part of what it has is
  /// gone, so that alone it would not tell of a client that takes little at a time.
  package var untakenBytes: Int { unsentBytes + unacknowledgedBytes }

  /// Whether the client has reset the connection, so that nobody is left at its other end. On the channel's event loop only.
  var connectionIsReset: Bool {
    guard channel.isActive, let descriptor = socketDescriptor else { return false }
    var look = pollfd(fd: descriptor, events: 0, revents: 0)
    return poll(&look, 1, 0) == 1 && look.revents & Int16(POLLHUP | POLLERR) != 0
  }
}
