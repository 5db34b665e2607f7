/// Measures the hot parts of the service by themselves: how long each takes, and how often it allocates memory.
@main
enum MicroBench {
  private static let rounds = 9

  static func main() throws {
    var measurements = try parts().map { try Measurement(of: $0) }
    // In turn, so that what else the machine does for a while falls upon all parts and not upon one.
    for _ in 0..<rounds {
      for index in measurements.indices { try measurements[index].repeatOnce() }
    }
    Table.print(measurements)
  }

  private static func parts() throws -> [Part] {
    // Nothing is written to the first two, or documents would not stay at hand.
    let (keeping, fetching, written) = (try Store(), try Store(keepsDocuments: false), try Store())
    let updated = try Store()
    for _ in 0..<4 { updated.putAll() }
    var parts = Part.json
    parts += try Part.requests()
    parts += Part.answers
    parts += Part.reads(keeping, from: "documents at hand")
    parts += Part.reads(fetching, from: "SQLite")
    parts.append(try Part.page(fetching))
    parts += [Part.changes(keeping, "all creations"), Part.changes(updated, "documents with 5 each")]
    parts += Part.writes(written)
    parts += [Part.wholeGet(keeping, count: 32), Part.wholePut(written, count: 32)]
    return parts
  }
}
