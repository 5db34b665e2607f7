import DocketSQLite
import DocketStore

/// What is told of the tokens of a backup that was restored, or would be. It is told in any case: nobody is to be let in, or
/// shut out, without a word.
struct RestoredTokenLines {
  let tokens: RestoredTokens
  let database: String
  let isDryRun: Bool

  /// So many names are told at most.
  static let limit = 20

  var lines: [String] {
    var lines: [String] = []
    if !tokens.revoked.isEmpty {
      let option = "--database \(ShellWord.quoted(database))"
      lines.append(
        """
        tokens that only the backup has \(isDryRun ? "would be" : "are") revoked, since they may have been meanwhile: \
        \(Self.names(tokens.revoked)); make new ones with docket token create NAME --allow RULE \(option)\
        \(isDryRun ? ", or let them hold with --keep-tokens" : "")
        """)
      if !isDryRun, let ids = takenBack {
        lines.append(
          """
          if none of them was, this lets them hold again: \
          docket sql \(option) "UPDATE tokens SET revoked_at = NULL WHERE id IN (\(ids))"
          """)
      }
    }
    if !tokens.kept.isEmpty {
      lines.append(
        """
        tokens that only the backup has \(isDryRun ? "would hold" : "hold"), also if they were revoked meanwhile: \
        \(Self.names(tokens.kept)); docket token revoke NAME ends one
        """)
    }
    if tokens.mayOpenDoor {
      lines.append(
        """
        \(database) \(isDryRun ? "would have" : "has") no tokens, and nothing tells whether there were some when it was lost: a \
        server takes every request until docket token create has made one
        """)
    }
    return lines
  }

  /// Their ids, as SQL within double quotes of a shell; nil where that is no good: of many, or where an id was not made by Docket.
  private var takenBack: String? {
    let isPlain = tokens.revoked.allSatisfy { token in
      !token.id.isEmpty && token.id.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }
    }
    guard isPlain, tokens.revoked.count <= Self.limit else { return nil }
    return tokens.revoked.map { "'\($0.id)'" }.joined(separator: ", ")
  }

  private static func names(_ tokens: [AccessToken]) -> String {
    let told = tokens.prefix(limit).map { DatabaseCheck.Finding.printable($0.name) }.joined(separator: ", ")
    return tokens.count > limit ? "\(told) and \(tokens.count - limit) more" : told
  }
}
