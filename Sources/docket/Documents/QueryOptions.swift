import ArgumentParser
import DocketClient

/// Which documents of a collection are told, and how.
struct QueryOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Only documents for which this holds: JSON text, or @file.", valueName: "json"))
  var `where`: String?

  @Option(help: ArgumentHelp("Fields to sort by, with commas between them; -field descends.", valueName: "fields"))
  var sort: String?

  @Option(help: ArgumentHelp("Tell these fields of a document alone, with commas between them.", valueName: "fields"))
  var fields: String?

  @Flag(help: "Collections below it, too.")
  var recursive = false

  @Flag(help: "Tell how many documents there are in all.")
  var count = false

  @Flag(help: "Tell how the documents are found.")
  var explain = false

  func query(limit: Int?, after cursor: String?, asOf moment: PointInTime?) throws -> DocumentQuery {
    DocumentQuery(
      where: try self.where.map { .json(try DocumentInput.document($0, of: "the condition")) }, sort: Self.names(sort),
      fields: Self.names(fields), limit: limit, after: cursor, asOf: moment, isRecursive: recursive, counts: count,
      explains: explain)
  }

  private static func names(_ list: String?) -> [String] {
    list.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
  }
}
