/// Reads and changes of what is set for collections.
public protocol SettingsAccess: AnyObject {
  /// Sets what holds for a collection from now on, in the place of what was set; nil sets nothing. Indexes are made or
  /// removed with it, which takes time by the number of documents; other writes wait meanwhile, reads do not.
  /// - Parameter completion: takes how many indexes all collections have now.
  func change(
    _ collection: CollectionPath, to settings: CollectionSettings?,
    completion: @escaping (Result<SettingsChange, StoreError>) -> Void)

  /// What is set for a collection; nil where nothing is.
  func settings(
    of collection: CollectionPath, completion: @escaping (Result<CollectionSettings?, StoreError>) -> Void)

  /// All collections for which something is set, in byte order of their names.
  func allSettings(completion: @escaping (Result<[NamedSettings], StoreError>) -> Void)
}

public struct NamedSettings: Sendable, Equatable {
  public let collection: CollectionPath
  public let settings: CollectionSettings

  public init(_ collection: CollectionPath, _ settings: CollectionSettings) {
    self.collection = collection
    self.settings = settings
  }
}

/// What a change of settings came to.
public struct SettingsChange: Sendable, Equatable {
  /// Whether something had been set before.
  public let existed: Bool
  /// How many indexes all collections have now.
  public let indexes: Int

  public init(existed: Bool, indexes: Int) {
    self.existed = existed
    self.indexes = indexes
  }
}
