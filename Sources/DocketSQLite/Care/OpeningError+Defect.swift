extension OpeningError {
  /// Why SQLite cannot read what is in a file; nil where something else is the matter.
  var defect: String? {
    switch self {
    case .notADatabase: "it is not an SQLite database"
    case .damaged(_, let reason), .failed(_, let reason): reason
    default: nil
    }
  }
}
