import DocketStore
import DocketWire
import NIOCore

/// What can be done with backups.
public enum BackupOperation: Sendable {
  /// A name that is nil: a copy that is only to be fetched.
  case make(BackupName?, acceptsFaults: Bool)
  case readAll
  case readPiece(BackupName, offset: Int64)
  case remove(BackupName)
}

extension BackupOperation {
  /// Reads `{"name": "monday.db"}`, or `{}`, and with either `"acceptFaults": true`.
  static func make(request data: ByteBuffer?) throws(ParameterError) -> BackupOperation {
    let shape = ParameterError(
      code: "invalid_backup",
      detail:
        #"A backup is asked for with {"name": "monday.db"}, or with {} where it is only to be fetched; "acceptFaults": true has it made of a database that has faults."#
    )
    guard let members = (data ?? ByteBuffer(staticString: "{}")).jsonMembers else { throw shape }
    var name: BackupName?
    var acceptsFaults = false
    for (member, value) in members {
      switch member {
      case "name":
        guard value.isJSONString, let text = value.jsonText else { throw shape }
        name = try Self.name(text)
      case "acceptFaults":
        guard let flag = value.jsonBool else { throw shape }
        acceptsFaults = flag
      default: throw shape
      }
    }
    return .make(name, acceptsFaults: acceptsFaults)
  }

  static func name(_ text: String) throws(ParameterError) -> BackupName {
    guard let name = BackupName(text) else {
      throw ParameterError(
        code: "invalid_backup",
        detail:
          "A backup's name has 1 to \(BackupName.maximumBytes) characters, each a letter of ASCII, a digit, or one of . _ - with no point in front, and does not end with \(BackupName.companionSuffixes.joined(separator: ", "))."
      )
    }
    return name
  }

  static func offset(_ parameters: [Target.Parameter]) throws(ParameterError) -> Int64 {
    var offset: Int64 = 0
    for parameter in parameters {
      guard parameter.name == "offset" else {
        throw ParameterError(
          code: "unknown_parameter",
          detail: "A backup is read with 'offset'; there is no '\(parameter.name.shortened)'.")
      }
      guard !parameter.value.isEmpty, parameter.value.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let number = Int64(parameter.value)
      else {
        throw ParameterError(code: "invalid_backup", detail: "'offset' must be a whole number of bytes.")
      }
      offset = number
    }
    return offset
  }
}
