import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.app.Connection;
import ca.uhn.hl7v2.app.HL7Service;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.protocol.ReceivingApplication;
import ca.uhn.hl7v2.util.Terser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * HAPI, with its own validation, as a peer of the gateway. "receive" listens on a free port, prints it, and prints one
 * line for each message it takes; "send PORT" sends each line of standard input (\r written as "\\r") and prints the answer.
 */
public final class Peer {
    public static void main(String[] arguments) throws Exception {
        try (DefaultHapiContext context = new DefaultHapiContext()) {
            if (arguments[0].equals("receive")) {
                receive(context);
            } else {
                send(context, Integer.parseInt(arguments[1]));
            }
        }
    }

    private static void receive(DefaultHapiContext context) throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        HL7Service service = context.newServer(port, false);
        service.registerApplication(new Taking());
        service.startAndWait();
        System.out.println(port);
        System.in.read();
        service.stopAndWait();
    }

    private static void send(DefaultHapiContext context, int port) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Connection connection = context.newClient("127.0.0.1", port, false);
        connection.getInitiator().setTimeout(20, TimeUnit.SECONDS);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Message message = context.getPipeParser().parse(line.replace("\\r", "\r"));
            Terser answer = new Terser(connection.getInitiator().sendAndReceive(message));
            System.out.println(answer.get("/MSH-9-1") + " " + answer.get("/MSA-1") + " " + answer.get("/MSA-2"));
        }
        connection.close();
    }

    private static final class Taking implements ReceivingApplication<Message> {
        @Override
        public Message processMessage(Message message, Map<String, Object> metadata) throws HL7Exception {
            Terser terser = new Terser(message);
            String structure = message.getClass().getSimpleName();
            System.out.println(terser.get("/MSH-9-1") + " " + structure + " " + terser.get("/MSH-10"));
            try {
                return message.generateACK();
            } catch (java.io.IOException error) {
                throw new HL7Exception(error);
            }
        }

        @Override
        public boolean canProcess(Message message) {
            return true;
        }
    }
}
