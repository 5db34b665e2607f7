/// What is watched.
public enum WatchScope: Sendable, Equatable {
  /// A document's path. There need not be one.
  case document(String)
  /// A collection's path, which ends with a slash; recursively also those below it.
  case collection(String, isRecursive: Bool = false)
  case database
}

extension WatchScope {
  /// As a request for a watch names it.
  var target: String {
    switch self {
    case .document(let path), .collection(let path, isRecursive: false): "\(path)?watch=true"
    case .collection(let path, isRecursive: true): "\(path)?watch=true&recursive=true"
    case .database: "/_changes?watch=true"
    }
  }
}
