import NIOCore
import NIOSSL

extension NIOSSLContext {
  /// Of a server. TLS 1.2 and up; the tickets by which clients resume sessions are worth nothing to another context.
  /// - Parameters:
  ///   - clientAuthorities: PEM. If given, clients must show a certificate signed by one of these.
  ///   - goodbyeSeconds: how long the answer to a close_notify is waited for.
  package static func server(
    _ identity: TLSIdentity, clientAuthorities: String?, goodbyeSeconds: Double
  ) throws(TLSFileError) -> NIOSSLContext {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: [], privateKey: .privateKey(identity.key))
    identity.add(to: &configuration)
    configuration.minimumTLSVersion = .tlsv12
    configuration.shutdownTimeout = .milliseconds(Int64(goodbyeSeconds * 1000))
    if let clientAuthorities {
      configuration.certificateVerification = .noHostnameVerification
      configuration.trustRoots = .certificates(try PEMFile(clientAuthorities).certificates())
      configuration.sendCANameList = true
    }
    do { return try NIOSSLContext(configuration: configuration) } catch { throw identity.mismatch }
  }

  /// Of a client.
  /// - Parameters:
  ///   - authorities: PEM; nil trusts those whom the machine trusts.
  ///   - verifies: whether it is looked at who the server is.
  package static func client(
    authorities: String?, verifies: Bool, identity: TLSIdentity?
  ) throws(TLSFileError) -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    configuration.shutdownTimeout = .seconds(1)
    if let authorities { configuration.trustRoots = .certificates(try PEMFile(authorities).certificates()) }
    if !verifies { configuration.certificateVerification = .none }
    identity?.add(to: &configuration)
    do { return try NIOSSLContext(configuration: configuration) } catch {
      // What else there is was read above.
      throw identity?.mismatch ?? .noSystemRoots
    }
  }
}
