/// The scripts that make Docket's tables, oldest first. One that has shipped never changes.
public enum MigrationCatalog {
  public static let migrations = [
    Migration(version: 1, name: "documents", script: PackageResources.m0001_documents_sql),
    Migration(version: 2, name: "expiry", script: PackageResources.m0002_expiry_sql),
    Migration(version: 3, name: "kept_answers", script: PackageResources.m0003_kept_answers_sql),
    Migration(version: 4, name: "collections", script: PackageResources.m0004_collections_sql),
    Migration(version: 5, name: "collection_rules", script: PackageResources.m0005_collection_rules_sql),
    Migration(version: 6, name: "tokens", script: PackageResources.m0006_tokens_sql),
  ]

  /// `PRAGMA application_id` of Docket's files: "DOCK".
  public static let applicationID: Int32 = 0x444F_434B

  /// `PRAGMA user_version` of a file that has all the migrations.
  public static var currentVersion: Int { migrations.count }
}

/// One script. It sets `PRAGMA user_version` to its version, and works by hand, too: what cannot run in a transaction
/// comes first, then `BEGIN IMMEDIATE`, and the last line is `COMMIT`.
public struct Migration: Sendable {
  public let version: Int
  public let name: String
  /// The whole text of the script.
  public let sql: String
  /// FNV-1a, 64 bits, in hexadecimal: an accident detector, which keeps nobody from forging a script.
  public let checksum: String

  public init(version: Int, name: String, script: [UInt8]) {
    self.version = version
    self.name = name
    sql = String(decoding: script, as: UTF8.self)
    checksum = Self.checksum(of: script)
  }

  /// The script without its last line, so that more can be done within its transaction.
  public var sqlBeforeCommit: String {
    precondition(sql.hasSuffix(Self.commit), "every script ends with COMMIT, so that it works by hand")
    return String(sql.dropLast(Self.commit.count))
  }

  private static let commit = "\nCOMMIT;\n"

  /// FNV-1a, 64 bits, in hexadecimal.
  ///
  /// Source: http://www.isthe.com/chongo/tech/comp/fnv/
  public static func checksum(of bytes: [UInt8]) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
