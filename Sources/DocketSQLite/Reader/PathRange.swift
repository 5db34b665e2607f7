import DocketStore

/// A run of documents in the order of their paths: collection, then id, as bytes. In SQL:
/// `(collection, id) > (lower) AND collection < upper`.
struct PathRange {
  let lowerCollection: String
  let lowerID: String
  let upperCollection: String

  /// - Parameter after: begins behind this path, whether or not there is such a document; nil begins at the start.
  init(_ scope: Query.Scope, after: DocumentPath? = nil) {
    let first: String
    switch scope {
    case .collection(let collection):
      first = collection.description
      // No name holds a control character, so nothing is between.
      upperCollection = first + "\u{1}"
    case .tree(let collection):
      first = collection.description
      // Behind the slash at the end comes the digit 0.
      upperCollection = first.dropLast() + "0"
    case .everything:
      first = "/"
      upperCollection = "0"
    }
    // No id is empty, so all ids are greater than the empty one. A place before the first collection says nothing.
    if let after, !after.collection.description.utf8.lexicographicallyPrecedes(first.utf8) {
      lowerCollection = after.collection.description
      lowerID = after.id
    } else {
      lowerCollection = first
      lowerID = ""
    }
  }

  static let sql = "(collection, id) > (?1, ?2) AND collection < ?3"

  /// Binds the first three parameters.
  func bind(to statement: Statement) {
    statement.bind(lowerCollection, at: 1)
    statement.bind(lowerID, at: 2)
    statement.bind(upperCollection, at: 3)
  }
}
