import Foundation

/// An authority that signs certificates for a test, by the `openssl` command.
public struct CertificateAuthority: Sendable {
  /// A certificate and its key, in files of PEM.
  public struct Identity: Sendable {
    public let certificate: String
    public let key: String
  }

  private let folder: String
  private let name: String

  /// The certificate by which what it signs is known.
  public var certificate: String { "\(folder)/\(name).pem" }

  /// Makes an authority whose files lie in a folder.
  public init(in folder: String, name: String = "authority") throws {
    self.folder = folder
    self.name = name
    try openssl([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
      "/CN=\(name)", "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", "\(folder)/\(name).key", "-out",
      certificate,
    ])
    try Data().write(to: URL(fileURLWithPath: "\(folder)/\(name).index"))
    let settings = """
      [ca]
      default_ca = it
      [it]
      database = \(folder)/\(name).index
      new_certs_dir = \(folder)
      certificate = \(certificate)
      private_key = \(folder)/\(name).key
      default_md = sha256
      default_days = 30
      rand_serial = yes
      unique_subject = no
      copy_extensions = copy
      policy = any
      [any]
      commonName = optional
      """
    try Data(settings.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).cnf"))
  }

  /// Makes a key and signs its certificate.
  /// - Parameters:
  ///   - file: the files' name, without its ending.
  ///   - names: the names and addresses that it stands for, as OpenSSL writes them.
  ///   - dates: from when to when it is valid, as `20200101000000Z`; from now on for 30 days unless given.
  public func issue(
    _ file: String, names: [String] = ["DNS:localhost", "IP:127.0.0.1"], dates: (from: String, to: String)? = nil
  ) throws -> Identity {
    let identity = Identity(certificate: "\(folder)/\(file).pem", key: "\(folder)/\(file).key")
    let request = "\(folder)/\(file).csr"
    try openssl([
      "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(file)",
      "-addext",
      "subjectAltName=\(names.joined(separator: ","))", "-keyout", identity.key, "-out", request,
    ])
    let validity = dates.map { ["-startdate", $0.from, "-enddate", $0.to] } ?? []
    try openssl(
      ["ca", "-batch", "-notext", "-config", "\(folder)/\(name).cnf", "-in", request, "-out", identity.certificate]
        + validity)
    return identity
  }

  /// Runs a command of OpenSSL.
  public func openssl(_ arguments: [String]) throws {
    let process = try ChildProcess("openssl", arguments)
    guard process.waitForEnd() == .exited(0) else {
      throw ChildProcess.Failure(
        description: "openssl \(arguments.joined(separator: " ")): \(process.remainingOutput)\(process.errorOutput)")
    }
  }
}
