import DocketClient
import NIOCore
import NIOPosix

/// A command that is run for each change, one after another.
struct WatchTrigger {
  let command: String

  /// - Throws: `CommandFailure`, where the command has failed: with what to do so as to go on.
  func run(_ event: WatchEvent) async throws {
    guard let call = Call(event) else { return }
    let command = command
    let ending = try await NIOThreadPool.singleton.runIfActive {
      try ShellCommand.run(command, input: call.input, variables: call.variables)
    }
    guard ending != .exited(0) else { return }
    throw CommandFailure("the command \(Self.description(ending)) at \(call.name); \(call.remedy)")
  }

  private static func description(_ ending: ShellCommand.Ending) -> String {
    switch ending {
    case .exited(let status): "exited with \(status)"
    case .signalled(let signal): "was ended by signal \(signal)"
    }
  }
}

extension WatchTrigger {
  /// What the command gets for an event.
  struct Call: Equatable {
    /// A line of JSON.
    let input: [UInt8]
    let sequence: String
    let change: String
    let path: String
    /// As people are told.
    let name: String
    let remedy: String

    /// Nil for an event for which nothing is run.
    init?(_ event: WatchEvent) {
      guard let line = WatchLine.json(event) else { return nil }
      input = line + [UInt8(ascii: "\n")]
      switch event {
      case .change(let change):
        sequence = change.sequence.map(String.init) ?? ""
        self.change = change.kind.rawValue
        path = change.path
        if let sequence = change.sequence {
          name = "change \(sequence), \(change.kind.rawValue) \(change.path)"
          remedy = "to go on with this change again, give --since \(sequence - 1)"
        } else {
          name = "\(change.path) of the snapshot"
          remedy = "a snapshot has to be begun anew"
        }
      case .reset:
        sequence = ""
        change = "reset"
        path = ""
        name = "the reset"
        remedy = "a snapshot has to be begun anew"
      case .live, .heartbeat, .interrupted: return nil
      }
    }

    var variables: [(name: String, value: String)] {
      [("DOCKET_SEQUENCE", sequence), ("DOCKET_CHANGE", change), ("DOCKET_PATH", path)]
    }
  }
}
