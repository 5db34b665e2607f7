/// Why a file cannot be used for TLS: one line that says how to mend it.
package enum TLSFileError: Error, Equatable, CustomStringConvertible {
  case unreadable(file: String, reason: String)
  case noCertificate(file: String)
  case noKey(file: String)
  case encryptedKey(file: String)
  case keyDoesNotFit(key: String, certificate: String)
  case noSystemRoots

  package var description: String {
    switch self {
    case .unreadable(let file, let reason): "cannot read \(file): \(reason)"
    case .noCertificate(let file): "\(file) is no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
    case .noKey(let file): "\(file) is no private key in PEM form (-----BEGIN PRIVATE KEY-----)"
    case .encryptedKey(let file):
      "the key in \(file) is encrypted; store it without its passphrase: openssl pkey -in \(file) -out NEW"
    case .keyDoesNotFit(let key, let certificate):
      "the key in \(key) does not belong to the first certificate in \(certificate)"
    case .noSystemRoots: "the certificates that this machine trusts cannot be read; name a file with --tls-ca"
    }
  }
}
