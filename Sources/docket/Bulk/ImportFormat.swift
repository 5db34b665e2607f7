import ArgumentParser

/// How documents stand in a source.
enum ImportFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// One JSON text a line.
  case ndjson
  /// One JSON array of them all.
  case array
  /// RFC 4180, names of fields in the first row.
  case csv
  /// What `docket export` has written.
  case export

  /// What the ending of a name promises.
  /// - Parameter hasCollection: whether the documents were given a place; those of an export have their own.
  init(path: String, hasCollection: Bool) {
    let ending = path.split(separator: ".").last.map { $0.lowercased() }
    switch ending {
    case "csv": self = .csv
    case "json": self = .array
    default: self = hasCollection ? .ndjson : .export
    }
  }

  /// - Parameter isInside: whether the source is read from a place behind one of its records.
  func splitter(isInside: Bool) -> any RecordSplitter {
    switch self {
    case .ndjson, .export: LineSplitter()
    case .array: ArraySplitter(isInside: isInside)
    case .csv: CSVSplitter()
    }
  }

  /// What a number of a record counts.
  var unit: String { self == .array ? "element" : "line" }
}
