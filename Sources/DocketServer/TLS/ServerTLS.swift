import DocketTLS
import NIOConcurrencyHelpers
import NIOCore
import NIOSSL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The TLS of a server: the files it comes from, and what they held when they were read last.
public final class ServerTLS: Sendable {
  public struct Files: Sendable, Equatable {
    /// The server's certificate and behind it those between it and a root, as PEM.
    public var certificate: String
    /// The certificate's key, as PEM, without a passphrase.
    public var key: String
    /// If given, clients must show a certificate that is signed by one of these.
    public var clientAuthorities: String?

    public init(certificate: String, key: String, clientAuthorities: String? = nil) {
      self.certificate = certificate
      self.key = key
      self.clientAuthorities = clientAuthorities
    }
  }

  /// What is to be known of files that could be used.
  public struct Loaded: Sendable {
    /// From when to when the certificate is valid, in seconds since 1970.
    public let validity: (begin: Int, end: Int)
    /// The last day on which it is valid, such as `2026-11-23`.
    public let lastDay: String
    /// What an operator should mend, a line each.
    public let warnings: [String]
  }

  public let files: Files
  /// How long a handshake may take, from the beginning of the connection.
  public let handshakeSeconds: Double
  /// How long a client's goodbye is waited for when a connection ends.
  private let goodbyeSeconds: Double
  private let current: NIOLockedValueBox<NIOSSLContext>
  public let loaded: Loaded

  /// Reads the files; blocks.
  /// - Throws: an error whose description is one line that says what is wrong with them.
  public init(_ files: Files, handshakeSeconds: Double = 5, goodbyeSeconds: Double = 5) throws {
    precondition(handshakeSeconds > 0 && goodbyeSeconds > 0)
    self.files = files
    self.handshakeSeconds = handshakeSeconds
    self.goodbyeSeconds = goodbyeSeconds
    let (context, loaded) = try Self.load(files, goodbyeSeconds)
    current = NIOLockedValueBox(context)
    self.loaded = loaded
  }

  /// Reads the files again, for connections that begin from now on; blocks. If it throws, what was there stays: also where the new
  /// certificate is one that no client accepts any more, or yet.
  public func reload() throws -> Loaded {
    let (context, loaded) = try Self.load(files, goodbyeSeconds)
    let now = time(nil)
    guard loaded.validity.end >= now else {
      throw UntimelyCertificate(description: "the one in \(files.certificate) has expired on \(loaded.lastDay)")
    }
    guard loaded.validity.begin <= now else {
      let day = TLSFailure.day(loaded.validity.begin)
      throw UntimelyCertificate(description: "the one in \(files.certificate) is not valid before \(day)")
    }
    current.withLockedValue { $0 = context }
    return loaded
  }

  private static func load(_ files: Files, _ goodbyeSeconds: Double) throws -> (NIOSSLContext, Loaded) {
    let identity = try TLSIdentity(certificateFile: files.certificate, keyFile: files.key)
    let context = try NIOSSLContext.server(
      identity, clientAuthorities: files.clientAuthorities, goodbyeSeconds: goodbyeSeconds)
    return (context, Loaded(identity, files))
  }

  /// What a new connection goes through between its socket and its handler.
  public func addHandlers(to pipeline: ChannelPipeline.SynchronousOperations, report: @escaping (String) -> Void) throws
  {
    let socket = TLSSocketHandler()
    try pipeline.addHandlers([
      socket, NIOSSLServerHandler(context: current.withLockedValue { $0 }),
      TLSSessionHandler(socket, handshakeSeconds: handshakeSeconds, report: report),
    ])
  }
}

/// A certificate that would take the place of another one, and does not hold today.
private struct UntimelyCertificate: Error, CustomStringConvertible {
  let description: String
}

extension ServerTLS.Loaded {
  fileprivate init(_ identity: TLSIdentity, _ files: ServerTLS.Files) {
    validity = identity.validity
    lastDay = TLSFailure.day(validity.end)
    let now = time(nil)
    var warnings: [String] = []
    if validity.end < now {
      warnings.append("The certificate in \(files.certificate) has expired on \(lastDay); clients will not accept it.")
    } else if validity.begin > now {
      warnings.append(
        "The certificate in \(files.certificate) is not valid before \(TLSFailure.day(validity.begin)); clients will not accept it."
      )
    }
    if identity.keyIsReadableByOthers {
      warnings.append("Every user of this machine may read the key in \(files.key); chmod o= \(files.key)")
    }
    self.warnings = warnings
  }
}
