import DocketClient
import DocketWire
import Foundation
import NIOCore

/// A server that does what a test tells it, on blocking sockets and a thread of its own.
public final class ScriptedServer: @unchecked Sendable {
  // Checked by hand: the descriptor is set once, and the system's calls on it may come from any thread.
  private let listener: Int32
  public let address: ServerAddress

  /// Listens on a free port of 127.0.0.1, or on a socket at `unixSocket`.
  /// - Parameter listens: false: has the address to itself, where nobody listens then.
  public init(unixSocket: String? = nil, listens: Bool = true) throws {
    let listener: Int32
    if let unixSocket {
      listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      var name = sockaddr_un()
      name.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: unixSocket.utf8) }
      try Self.bind(listener, &name)
      address = .unixSocket(path: unixSocket)
    } else {
      listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      try Self.bind(listener, &name)
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      try withUnsafeMutableBytes(of: &name) { bytes in
        guard getsockname(listener, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length) == 0 else {
          throw ScriptError.system(errno)
        }
      }
      address = .tcp(host: "127.0.0.1", port: Int(UInt16(bigEndian: name.sin_port)))
    }
    self.listener = listener
    guard !listens || listen(listener, 16) == 0 else { throw ScriptError.system(errno) }
  }

  deinit {
    close(listener)
  }

  private static func bind<Name>(_ socket: Int32, _ name: inout Name) throws {
    try withUnsafeMutableBytes(of: &name) { bytes in
      let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
      guard Glibc.bind(socket, pointer, socklen_t(bytes.count)) == 0 else { throw ScriptError.system(errno) }
    }
  }

  /// The next connection.
  public func accept() throws -> ScriptedConnection {
    let descriptor = Glibc.accept(listener, nil, nil)
    guard descriptor >= 0 else { throw ScriptError.system(errno) }
    return ScriptedConnection(descriptor)
  }

  /// Runs a script for the server beside the test of a client, and throws what either throws.
  ///
  /// When the client's part has ended, a script that still waits for a connection is told that none will come.
  public static func run<Value: Sendable>(
    unixSocket: String? = nil, script: @escaping @Sendable (ScriptedServer) throws -> Void,
    client body: @Sendable (ServerAddress) async throws -> Value
  ) async throws -> Value {
    let server = try ScriptedServer(unixSocket: unixSocket)
    let (ended, continuation) = AsyncThrowingStream<Never, any Error>.makeStream()
    let thread = Thread {
      do {
        try script(server)
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    thread.start()
    let result: Result<Value, any Error>
    do {
      result = .success(
        try await withTaskExecutorPreference(ThreadsExecutor()) { () async throws in try await body(server.address) })
    } catch { result = .failure(error) }
    shutdown(server.listener, Int32(SHUT_RDWR))
    if case .success = result {
      for try await _ in ended {}
    }
    return try result.get()
  }
}

/// One connection of a scripted server.
public final class ScriptedConnection {
  private let descriptor: Int32
  private var decoder = FrameDecoder(maximumFrameBytes: 1 << 20)
  private var isOpen = true

  fileprivate init(_ descriptor: Int32) {
    self.descriptor = descriptor
  }

  deinit {
    close()
  }

  /// The next request; throws `ScriptError.ended` when the client has gone.
  public func request() throws -> Request {
    try Request.parse(try frame())
  }

  public func frame() throws -> ByteBuffer {
    while true {
      if case .frame(let frame)? = decoder.next() { return frame }
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = read(descriptor, &bytes, bytes.count)
      guard count > 0 else { throw ScriptError.ended }
      decoder.append(ByteBuffer(bytes: bytes[..<count]))
    }
  }

  public func send(_ bytes: some Sequence<UInt8>) throws {
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw ScriptError.system(errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// Sends `{"code": …, "message": …, "data": …}` and a NUL.
  public func answer(_ code: Int = 200, _ message: String = "OK", _ data: String = "null") throws {
    try send(Self.frame(code, message, data) + [0])
  }

  public static func frame(_ code: Int = 200, _ message: String = "OK", _ data: String = "null") -> [UInt8] {
    Array(#"{"code": \#(code), "message": "\#(message)", "data": \#(data)}"#.utf8)
  }

  public func close() {
    guard isOpen else { return }
    isOpen = false
    Glibc.close(descriptor)
  }
}

public enum ScriptError: Error, Equatable {
  case ended
  case system(Int32)
}
