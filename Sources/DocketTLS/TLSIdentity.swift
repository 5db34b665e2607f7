import NIOSSL

/// What somebody shows of himself: a certificate, those between it and a root, and the key that belongs to it.
package struct TLSIdentity: Sendable {
  let chain: [NIOSSLCertificate]
  let key: NIOSSLPrivateKey
  private let certificateFile: String
  private let keyFile: String
  /// Whether any user of the machine may read the key.
  package let keyIsReadableByOthers: Bool

  /// - Parameters:
  ///   - certificateFile: PEM; the own certificate is the first one.
  ///   - keyFile: PEM, without a passphrase.
  package init(certificateFile: String, keyFile: String) throws(TLSFileError) {
    chain = try PEMFile(certificateFile).certificates()
    let file = try PEMFile(keyFile)
    key = try file.key()
    keyIsReadableByOthers = file.isReadableByOthers
    self.certificateFile = certificateFile
    self.keyFile = keyFile
  }

  /// From when to when the own certificate is valid, in seconds since 1970.
  package var validity: (begin: Int, end: Int) { (chain[0].notValidBefore, chain[0].notValidAfter) }

  func add(to configuration: inout TLSConfiguration) {
    configuration.certificateChain = chain.map { .certificate($0) }
    configuration.privateKey = .privateKey(key)
  }

  /// What to say where BoringSSL does not take the two together.
  var mismatch: TLSFileError { .keyDoesNotFit(key: keyFile, certificate: certificateFile) }
}
