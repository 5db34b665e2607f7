import DocketWire
import NIOCore

extension DocketClient {
  /// What is set for a collection, as JSON: `{"indexes": [["status", "-priority"]], "unique": [["email"]]}`; nil where
  /// nothing is.
  /// - Parameter collection: ends with a slash.
  public func settings(of collection: String) async throws -> ByteBuffer? {
    do {
      return try AnswerFields(try await success(.get, Self.settingsPath(collection)).data).value("settings")
    } catch DocketClientError.refused(let refusal) where refusal.error == "not_found" {
      return nil
    }
  }

  /// Sets what holds for a collection, in the place of all that was set before. Making an index takes seconds for each
  /// million documents, in which other writes wait.
  /// - Parameter settings: JSON, as `settings(of:)` has it.
  /// - Throws: `DocketClientError.refused` where the settings do not fit, or the documents that are there do not.
  public func set(_ settings: ByteBuffer, for collection: String) async throws {
    _ = try await success(.put, Self.settingsPath(collection), data: settings)
  }

  /// Sets nothing any more for a collection, for which something may have been set.
  public func removeSettings(of collection: String) async throws {
    do {
      _ = try await success(.delete, Self.settingsPath(collection))
    } catch DocketClientError.refused(let refusal) where refusal.error == "not_found" {}
  }

  private static func settingsPath(_ collection: String) -> String { "/_collections\(collection)" }
}
