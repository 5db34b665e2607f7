import DocketStore
import NIOCore

extension DocumentPath {
  /// The path that a test writes down: `DocumentPath("/notes/", "42")`.
  public init(_ collection: String, _ id: String) {
    self.init(collection: CollectionPath(unchecked: collection), id: id)
  }
}

extension Write {
  public static func put(_ collection: String, _ id: String, _ json: String) -> Write {
    .put(DocumentPath(collection, id), data: ByteBuffer(string: json))
  }

  public static func create(in collection: String, _ json: String) -> Write {
    .create(in: CollectionPath(unchecked: collection), data: ByteBuffer(string: json))
  }

  public static func delete(_ collection: String, _ id: String) -> Write {
    .delete(DocumentPath(collection, id))
  }

  public static func mergePatch(_ collection: String, _ id: String, _ json: String) -> Write {
    .mergePatch(DocumentPath(collection, id), patch: ByteBuffer(string: json))
  }

  public static func replaceFirst(in collection: String, _ value: String, with json: String) -> Write {
    .replaceFirst(
      in: CollectionPath(unchecked: collection), equalTo: ByteBuffer(string: value),
      with: ByteBuffer(string: json))
  }

  public static func deleteFirst(in collection: String, _ value: String) -> Write {
    .deleteFirst(in: CollectionPath(unchecked: collection), equalTo: ByteBuffer(string: value))
  }
}

extension WriteOutcome {
  /// The revision that the write made; nil where nothing changed.
  public var revision: Revision? {
    switch self {
    case .created(_, let revision), .replaced(_, let revision), .deleted(_, let revision): revision
    case .notFound, .conditionFailed: nil
    }
  }

  public var path: DocumentPath? {
    switch self {
    case .created(let path, _), .replaced(let path, _), .deleted(let path, _): path
    case .notFound, .conditionFailed: nil
    }
  }
}
