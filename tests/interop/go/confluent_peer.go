// Confluent's Go client on the other end of a pipe: a JSON line in, a JSON line out.
//
//	confluent_peer FILE-DESCRIPTOR-SET PACKAGE
//
// Clients, serializers and deserializers here have Confluent's default settings, but for what a call says of its login.
// Bytes travel as hex.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/rest"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/protobuf"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

type call struct {
	Op        string            `json:"op"`
	Registry  string            `json:"registry"`
	Topic     string            `json:"topic"`
	Message   string            `json:"message"`
	JSON      json.RawMessage   `json:"json"`
	Bytes     string            `json:"bytes"`
	IsKey     bool              `json:"is_key"`
	Method    string            `json:"method"`
	Arguments []json.RawMessage `json:"arguments"`
	Login     login             `json:"login"`
}

type login struct {
	Password      string `json:"password"`
	Token         string `json:"token"`
	TokenEndpoint string `json:"token_endpoint"`
	ClientID      string `json:"client_id"`
	ClientSecret  string `json:"client_secret"`
	Authority     string `json:"authority"`
	Certificate   string `json:"certificate"`
	Key           string `json:"key"`
}

type peer struct {
	files       *protoregistry.Files
	packageName string
	clients     map[place]schemaregistry.Client
}

var noLogin login

type place struct {
	url   string
	login login
}

// One that logs in is not to try again.
func settings(url string, login login) *schemaregistry.Config {
	found := schemaregistry.NewConfig(url)
	if login != noLogin {
		found.MaxRetries = 0
	}
	if login.Password != "" {
		found.BasicAuthUserInfo, found.BasicAuthCredentialsSource = login.Password, "USER_INFO"
	}
	if login.Token != "" {
		found.BearerAuthToken, found.BearerAuthCredentialsSource = login.Token, "STATIC_TOKEN"
	}
	if login.TokenEndpoint != "" {
		found.BearerAuthCredentialsSource = "OAUTHBEARER"
		found.BearerAuthIssuerEndpointURL = login.TokenEndpoint
		found.BearerAuthClientID, found.BearerAuthClientSecret = login.ClientID, login.ClientSecret
		found.BearerAuthScopes = []string{"registry"}
	}
	found.BearerAuthLogicalCluster, found.BearerAuthIdentityPoolID = "lsrc-1", "pool-1"
	found.SslCaLocation, found.SslCertificateLocation, found.SslKeyLocation = login.Authority, login.Certificate, login.Key
	return found
}

func (p *peer) client(c call) (schemaregistry.Client, error) {
	there := place{c.Registry, c.Login}
	if found, ok := p.clients[there]; ok {
		return found, nil
	}
	made, err := schemaregistry.NewClient(settings(c.Registry, c.Login))
	if err == nil {
		p.clients[there] = made
	}
	return made, err
}

// The methods of a client that logins are tried with.
func (p *peer) ask(c call) (any, error) {
	client, err := p.client(c)
	if err != nil {
		return nil, err
	}
	switch c.Method {
	case "getAllSubjects":
		return client.GetAllSubjects()
	case "register":
		var subject string
		var schema schemaregistry.SchemaInfo
		if err := errors.Join(json.Unmarshal(c.Arguments[0], &subject), json.Unmarshal(c.Arguments[1], &schema)); err != nil {
			return nil, err
		}
		return client.Register(subject, schema, false)
	}
	return nil, fmt.Errorf("no such method: %s", c.Method)
}

func (p *peer) message(name string) (*dynamicpb.Message, error) {
	found, err := p.files.FindDescriptorByName(protoreflect.FullName(p.packageName + "." + name))
	if err != nil {
		return nil, err
	}
	return dynamicpb.NewMessage(found.(protoreflect.MessageDescriptor)), nil
}

func serdeType(c call) serde.Type {
	if c.IsKey {
		return serde.KeySerde
	}
	return serde.ValueSerde
}

func (p *peer) serialize(c call) (any, error) {
	client, err := p.client(c)
	if err != nil {
		return nil, err
	}
	message, err := p.message(c.Message)
	if err != nil {
		return nil, err
	}
	if err := protojson.Unmarshal(c.JSON, message); err != nil {
		return nil, err
	}
	serializer, err := protobuf.NewSerializer(client, serdeType(c), protobuf.NewSerializerConfig())
	if err != nil {
		return nil, err
	}
	raw, err := serializer.Serialize(c.Topic, message)
	return hex.EncodeToString(raw), err
}

func (p *peer) deserialize(c call) (any, error) {
	client, err := p.client(c)
	if err != nil {
		return nil, err
	}
	raw, err := hex.DecodeString(c.Bytes)
	if err != nil {
		return nil, err
	}
	deserializer, err := protobuf.NewDeserializer(client, serdeType(c), protobuf.NewDeserializerConfig())
	if err != nil {
		return nil, err
	}
	known, err := p.message(c.Message)
	if err != nil {
		return nil, err
	}
	if err := deserializer.ProtoRegistry.RegisterMessage(known.Type()); err != nil {
		return nil, err
	}
	read, err := deserializer.Deserialize(c.Topic, raw)
	if err != nil {
		return nil, err
	}
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(read.(proto.Message))
	return json.RawMessage(text), err
}

func (p *peer) answer(line []byte) map[string]any {
	var c call
	if err := json.Unmarshal(line, &c); err != nil {
		return map[string]any{"error": "json", "text": err.Error()}
	}
	var result any
	var err error
	switch c.Op {
	case "forget":
		p.clients = map[place]schemaregistry.Client{}
	case "client":
		result, err = p.ask(c)
	case "serialize":
		result, err = p.serialize(c)
	case "deserialize":
		result, err = p.deserialize(c)
	default:
		err = fmt.Errorf("no such operation: %s", c.Op)
	}
	if err == nil {
		return map[string]any{"result": result}
	}
	told := map[string]any{"error": fmt.Sprintf("%T", err), "text": err.Error()}
	var refused *rest.Error
	if errors.As(err, &refused) {
		told["code"], told["status"] = refused.Code, refused.Code
	}
	return told
}

func main() {
	raw, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(raw, &set); err != nil {
		panic(err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		panic(err)
	}
	p := peer{files: files, packageName: os.Args[2], clients: map[place]schemaregistry.Client{}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		if err := out.Encode(p.answer(lines.Bytes())); err != nil {
			panic(err)
		}
	}
}
